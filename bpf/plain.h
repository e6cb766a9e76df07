/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What nearly all packets of an awake container look like: Ethernet, IP without options or extension headers, and TCP.
 * They are read in place: a single call of a helper costs more than all of that. note_plain handles those without SYN
 * that belong to no followed flow (probes.h) and refuse nothing (refusals.h). note_any handles the rest.
 */
#ifndef ZEROPOD_PLAIN_H
#define ZEROPOD_PLAIN_H

/* What is read of such a packet. */
struct plain {
    const struct tcp_begin *tcp; /* 0: the packet is none */
    __u32 headers;               /* how long all are together; the packet ends there if it has no data */
    __u8 remote;                 /* the last byte of the other end's address */
};

/*
 * Devices without an Ethernet header have other bytes in its place. A peer could choose an address whose bytes pass for
 * an Ethernet header. Only the counting of its own packets would be wrong.
 */
static __always_inline struct plain look_at(struct __sk_buff *skb, int ingress)
{
    struct plain none = {}, plain = {};
    const struct ethhdr *link = (void *)(long)skb->data;
    const void *end = (void *)(long)skb->data_end;
    if ((void *)(link + 1) > end || link->h_proto != skb->protocol)
        return none;
    if (link->h_proto == bpf_htons(ETH_P_IP)) {
        const struct iphdr *ip = (void *)(link + 1);
        plain.tcp = (void *)(ip + 1);
        if ((void *)(plain.tcp + 1) > end || *(__u8 *)ip != 0x45 || ip->protocol != IPPROTO_TCP
            || ip->frag_off & bpf_htons(0x3fff) || skb->len != sizeof *link + bpf_ntohs(ip->tot_len))
            return none;
        plain.headers = sizeof *link + sizeof *ip;
        plain.remote = bpf_ntohl(ingress ? ip->saddr : ip->daddr);
    } else if (link->h_proto == bpf_htons(ETH_P_IPV6)) {
        const struct ipv6hdr *ip = (void *)(link + 1);
        plain.tcp = (void *)(ip + 1);
        if ((void *)(plain.tcp + 1) > end || *(__u8 *)ip >> 4 != 6 || ip->nexthdr != IPPROTO_TCP
            || skb->len != sizeof *link + sizeof *ip + bpf_ntohs(ip->payload_len))
            return none;
        plain.headers = sizeof *link + sizeof *ip;
        plain.remote = (ingress ? &ip->saddr : &ip->daddr)->s6_addr[15];
    } else {
        return none;
    }
    plain.headers += (plain.tcp->length >> 4) * 4;
    return plain;
}

/* - Returns: false for what has to be looked at more closely. */
static __always_inline int note_plain(struct __sk_buff *skb, int ingress)
{
    struct plain plain = look_at(skb, ingress);
    if (!plain.tcp || plain.tcp->flags & SYN)
        return 0;
    if (skb->len == plain.headers && !(plain.tcp->flags & (FIN | RST)))
        return 1;
    struct port_pair pair = plain.tcp->ports;
    __u16 port = bpf_ntohs(ingress ? pair.destination : pair.source);
    __u64 *last = bpf_map_lookup_elem(&activity, &port);
    if (!last)
        return ingress || !is_refusal(plain.tcp);
    if (*last == ZP_PASSIVE)
        return 1;
    if (may_be_followed(skb, pair, plain.remote, ingress))
        return 0;
    if (is_use(skb, ingress))
        note_now(last);
    return 1;
}

#endif
