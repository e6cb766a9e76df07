/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * TCP in fragments, while connections are held (connections.h).
 *
 * Only the first fragment has ports. That of a held connection is dropped, and so the kernel never has the whole packet.
 * The others say nothing but which packet they belong to: they pass if its first one has passed meanwhile. One whose
 * first fragment came before the connection was held must not complete it: nobody has a socket for it any more.
 */
#ifndef ZEROPOD_FRAGMENTS_H
#define ZEROPOD_FRAGMENTS_H

/* What the fragments of one packet have in common. */
struct packet_name {
    struct zp_address source;
    struct zp_address destination;
    __be32 identification;
};

/* Packets of other connections, of which the first fragment has passed. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, ZP_MAX_FRAGMENTED);
    __type(key, struct packet_name);
    __type(value, __u8);
} passed SEC(".maps");

enum fragment { WHOLE, FIRST_FRAGMENT, LATER_FRAGMENT };

static __always_inline enum fragment load_fragment_ipv4(struct __sk_buff *skb, struct packet_name *name)
{
    struct iphdr header;
    if (load(skb, 0, &header, sizeof header) || header.protocol != IPPROTO_TCP)
        return WHOLE;
    map_ipv4(&name->source, header.saddr);
    map_ipv4(&name->destination, header.daddr);
    name->identification = header.id;
    if (header.frag_off & bpf_htons(0x1fff))
        return LATER_FRAGMENT;
    return header.frag_off & bpf_htons(0x2000) ? FIRST_FRAGMENT : WHOLE;
}

static __always_inline enum fragment load_fragment_ipv6(struct __sk_buff *skb, struct packet_name *name)
{
    struct ipv6hdr header;
    if (load(skb, 0, &header, sizeof header))
        return WHOLE;
    __builtin_memcpy(&name->source, &header.saddr, sizeof name->source);
    __builtin_memcpy(&name->destination, &header.daddr, sizeof name->destination);

    __u8 next = header.nexthdr;
    __u32 position = sizeof header;
    for (int i = 0; i <= MOST_EXTENSION_HEADERS; i++) {
        struct extension_header extension;
        if (load(skb, position, &extension, sizeof extension))
            return WHOLE;
        switch (next) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
            position += (extension.length + 1) * 8;
            next = extension.next;
            continue;
        case IPPROTO_FRAGMENT:
            /* What it names stands in the first fragment only, and TCP may come after it. */
            if ((extension.next != IPPROTO_TCP && extension.next != IPPROTO_DSTOPTS && extension.next != IPPROTO_AH)
                || load(skb, position + 4, &name->identification, sizeof name->identification))
                return WHOLE;
            if (extension.fragment_offset & bpf_htons(0xfff8))
                return LATER_FRAGMENT;
            return extension.fragment_offset & bpf_htons(1) ? FIRST_FRAGMENT : WHOLE;
        }
        return WHOLE;
    }
    return WHOLE;
}

/* - Returns: WHOLE also for what is no TCP. */
static __always_inline enum fragment load_fragment(struct __sk_buff *skb, struct packet_name *name)
{
    if (skb->protocol == bpf_htons(ETH_P_IP))
        return load_fragment_ipv4(skb, name);
    if (skb->protocol == bpf_htons(ETH_P_IPV6))
        return load_fragment_ipv6(skb, name);
    return WHOLE;
}

/* The packet is no concern of ours, and if it is a first fragment, the others are none either. */
static __always_inline void let_others_pass(enum fragment fragment, const struct packet_name *name)
{
    __u8 one = 1;
    if (fragment == FIRST_FRAGMENT)
        bpf_map_update_elem(&passed, name, &one, BPF_ANY);
}

/* - Returns: what becomes of a packet without ports. */
COLD int hold_fragment(struct __sk_buff *skb)
{
    struct packet_name name = {};
    enum fragment fragment = load_fragment(skb, &name);
    if (fragment == LATER_FRAGMENT && !bpf_map_lookup_elem(&passed, &name))
        return TC_ACT_SHOT;
    let_others_pass(fragment, &name);
    return TC_ACT_UNSPEC;
}

#endif
