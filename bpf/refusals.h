/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Connections to ports on which nobody listens: the pod's kernel answers their SYN with RST, and that answer is seen
 * here. Clients connect to an application that is still starting, and are refused; that counts as use of the pod. It
 * also wakes the containers that sleep: one that fell asleep before it listened would never listen. What the pod asks
 * itself (over lo) does not count, nor do passive ports.
 */
#ifndef ZEROPOD_REFUSALS_H
#define ZEROPOD_REFUSALS_H

/* What a shim polls while containers sleep. Never more than one record is in it: it says that there was one. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} refusals SEC(".maps");

/* The number of lo in every network namespace. */
enum { LOOPBACK = 1 };

/* Only an answer to a segment that acknowledges nothing has the sequence number 0 (RFC 9293, 3.10.7.1). */
static __always_inline int is_refusal(const struct tcp_begin *begin)
{
    return begin->sequence == 0 && (begin->flags & (SYN | FIN | RST | ACK)) == (RST | ACK);
}

static __always_inline void note_refusal(struct __sk_buff *skb)
{
    __u16 key = ZP_REFUSED_PORTS;
    __u64 *last = bpf_map_lookup_elem(&activity, &key);
    if (!last || skb->ifindex == LOOPBACK || !is_use(skb, 0))
        return;
    note_now(last);
    __u8 record = 1;
    if (!bpf_ringbuf_query(&refusals, BPF_RB_AVAIL_DATA))
        bpf_ringbuf_output(&refusals, &record, sizeof record, BPF_RB_FORCE_WAKEUP);
}

#endif
