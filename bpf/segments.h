/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * A packet: between whom it goes; and of a TCP segment, where its payload is.
 */
#ifndef ZEROPOD_SEGMENTS_H
#define ZEROPOD_SEGMENTS_H

/*
 * Functions that are not static are looked at by the verifier once, and not for each way that leads to them. They take
 * numbers only (other pointers than the context's since Linux 5.13).
 */
#define COLD __attribute__((noinline))

struct segment {
    __u32 offset; /* of the payload */
    __u32 length;
    __u8 flags;
};

static __always_inline void map_ipv4(struct zp_address *address, __u32 ipv4)
{
    address->words[0] = 0;
    address->words[1] = 0;
    address->words[2] = bpf_htonl(0xffff);
    address->words[3] = ipv4;
}

/* - Returns: the length of the IP packet, or 0. */
static __always_inline __u32 load_addresses(
    struct __sk_buff *skb, struct zp_address *source, struct zp_address *destination)
{
    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        struct iphdr header;
        if (load(skb, 0, &header, sizeof header))
            return 0;
        map_ipv4(source, header.saddr);
        map_ipv4(destination, header.daddr);
        return bpf_ntohs(header.tot_len);
    }
    struct ipv6hdr header;
    if (load(skb, 0, &header, sizeof header))
        return 0;
    __builtin_memcpy(source, &header.saddr, sizeof *source);
    __builtin_memcpy(destination, &header.daddr, sizeof *destination);
    return sizeof header + bpf_ntohs(header.payload_len);
}

/* <sys/socket.h> is not for BPF. */
enum { FAMILY_IPV4 = 2 };

/* The other end, where the kernel looks for a socket. */
static __always_inline void load_remote(struct bpf_sk_lookup *lookup, struct zp_address *remote)
{
    if (lookup->family == FAMILY_IPV4) {
        __u32 ipv4 = lookup->remote_ip4;
        /* Without this the compiler computes which field to read, and the verifier allows constants only. */
        asm volatile("" : "+r"(ipv4));
        map_ipv4(remote, ipv4);
    } else {
        __u32 last = lookup->remote_ip6[3];
        asm volatile("" : "+r"(last));
        remote->words[0] = lookup->remote_ip6[0];
        remote->words[1] = lookup->remote_ip6[1];
        remote->words[2] = lookup->remote_ip6[2];
        remote->words[3] = last;
    }
}

static __always_inline int load_segment(struct __sk_buff *skb, __u32 tcp, __u32 end, struct segment *segment)
{
    __u8 bytes[2]; /* the length of the header, and the flags */
    if (load(skb, tcp + 12, bytes, sizeof bytes))
        return 0;
    segment->offset = tcp + (bytes[0] >> 4) * 4;
    segment->flags = bytes[1];
    segment->length = end > segment->offset ? end - segment->offset : 0;
    return 1;
}

static __always_inline __u32 load_flow(struct __sk_buff *skb, struct port_pair pair, int ingress, struct zp_flow *flow)
{
    flow->remote_port = ingress ? pair.source : pair.destination;
    flow->local_port = ingress ? pair.destination : pair.source;
    return ingress ? load_addresses(skb, &flow->remote, &flow->local) : load_addresses(skb, &flow->local, &flow->remote);
}

/*
 * `load` sees only what is in the linear part of a packet, which the headers are; the payload mostly is not. The length
 * of the link-layer header is not known here, but none is longer than 64 bytes.
 */
static __always_inline int make_readable(struct __sk_buff *skb, const struct segment *segment, __u32 most)
{
    __u32 end = 64 + segment->offset + most;
    return !bpf_skb_pull_data(skb, skb->len < end ? skb->len : end);
}

#endif
