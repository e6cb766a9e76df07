/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The times that packets are noted with: right to one tick of the kernel (10 ms at most), but each one later than the
 * one before on its port. So idleness can be told from them, and also whether there was another packet. (Of the first two
 * in a tick that two processors note in the same moment, one may not show. Sockets are looked at as well, after that.)
 *
 * Reading the clock costs as much as all else that is done for a plain packet (plain.h). The number of the tick costs
 * nothing: the kernel puts a load in the place of the call. bpf_ktime_get_coarse_ns costs half, and came with Linux 5.11.
 */
#ifndef ZEROPOD_CLOCK_H
#define ZEROPOD_CLOCK_H

struct tick {
    __u64 number;
    __u64 begin; /* CLOCK_MONOTONIC nanoseconds, of the first packet in it */
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct tick);
} ticks SEC(".maps");

/* Relaxed: for the stronger orders clang takes an instruction that came with Linux 5.12. */
static __always_inline void increment(__u64 *number) { __atomic_fetch_add(number, 1, __ATOMIC_RELAXED); }

static __always_inline void note_now(__u64 *last)
{
    __u32 key = 0;
    struct tick *tick = bpf_map_lookup_elem(&ticks, &key);
    if (!tick)
        return;
    __u64 number = bpf_jiffies64();
    if (tick->number != number) {
        tick->begin = bpf_ktime_get_ns();
        tick->number = number;
    }
    if (*last < tick->begin)
        *last = tick->begin;
    else
        /* Two packets at the same time count as two. */
        increment(last);
}

#endif
