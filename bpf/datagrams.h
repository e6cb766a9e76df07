/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * UDP: only ports that user space has declared are looked at, since nobody listens on a UDP port as on a TCP port.
 */
#ifndef ZEROPOD_DATAGRAMS_H
#define ZEROPOD_DATAGRAMS_H

/* Port -> CLOCK_MONOTONIC nanoseconds of the last datagram from or to it (clock.h). The ports that are declared. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ZP_MAX_DATAGRAM_PORTS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u16);
    __type(value, __u64);
} datagrams SEC(".maps");

static __always_inline void note_datagram(struct __sk_buff *skb, int ingress)
{
    __u32 offset;
    struct port_pair pair;
    if (!find(skb, IPPROTO_UDP, &offset) || load(skb, offset, &pair, sizeof pair))
        return;
    __u16 port = bpf_ntohs(ingress ? pair.destination : pair.source);
    __u64 *last = bpf_map_lookup_elem(&datagrams, &port);
    if (last && is_use(skb, ingress))
        note_now(last);
}

#endif
