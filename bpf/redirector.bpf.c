// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The redirector of one pod.
 *
 * `zeropod_ingress` and `zeropod_egress` see every packet of every interface of the pod and of lo (tcx or clsact), and
 * note when a declared port was last used; probes.h tells what does not count as use. They let the chain go on, and
 * never keep, change or drop a packet.
 *
 * `zeropod_steer` (sk_lookup, Linux 5.9) runs when the kernel looks up a listening TCP socket or an unconnected UDP
 * socket. For TCP this happens for new connections only. While a port is redirected it names the activator's listener
 * instead of the application's, or the reception's for connections that may be probes. No header is changed; the
 * accepted socket has the original addresses and ports. Peers that are ignored find no socket at the ports of what
 * sleeps (SK_DROP): the kernel answers them with RST, or that the port cannot be reached.
 *
 * bpf_sk_assign from the tc program on ingress would be another place for it, and was tried. It bypasses a TIME_WAIT
 * socket with the same four numbers instead of ending it, and since Linux 6.10 the SYN is then dropped in silence
 * until that socket is gone, a minute later; it acts before NAT inside the pod (a service mesh's REDIRECT), on the
 * wrong port; and it would have to look up the flow of every packet. Here the kernel has done all of that already:
 * reassembly, extension headers, VLANs, SYN cookies, TIME_WAIT.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "activity.h"
#include "zeropod.h"

struct activity_map activity SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ZP_MAX_PORTS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u16);
    __type(value, struct zp_port);
} ports SEC(".maps");

/* The kernel takes a socket out by itself when it is closed. */
struct {
    __uint(type, BPF_MAP_TYPE_SOCKMAP);
    __uint(max_entries, 2 * ZP_MAX_ACTIVATORS);
    __type(key, __u32);
    __type(value, __u64);
} activators SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, ZP_COUNTERS);
    __type(key, __u32);
    __type(value, __u64);
} counters SEC(".maps");

/* What user space has to know to take the pod apart again, kept where a crash leaves it; and whether peers.h is needed. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct zp_pod);
} pod SEC(".maps");

/* The first four bytes of a TCP header, and of a UDP header. */
struct port_pair {
    __be16 source;
    __be16 destination;
};

/* As much of a TCP header as says what the segment is for. */
struct tcp_begin {
    struct port_pair ports;
    __be32 sequence;
    __be32 acknowledged;
    __u8 length; /* in words, in the upper half */
    __u8 flags;
} __attribute__((packed, aligned(2)));

/* The same for all IPv6 extension headers that may stand before TCP and UDP, but for Fragment and Authentication. */
struct extension_header {
    __u8 next;
    __u8 length;
    __be16 fragment_offset;
};

/* Hop-by-hop, routing, fragment, destination options (twice), authentication; and one to spare. */
enum { MOST_EXTENSION_HEADERS = 7 };

/* From the network header, so that devices without a link-layer header (tun, wireguard) need no case of their own. */
static __always_inline long load(struct __sk_buff *skb, __u32 offset, void *to, __u32 length)
{
    return bpf_skb_load_bytes_relative(skb, offset, to, length, BPF_HDR_START_NET);
}

static __always_inline int find_after_ipv4(struct __sk_buff *skb, __u8 protocol, __u32 *offset)
{
    struct iphdr header;
    if (load(skb, 0, &header, sizeof header))
        return 0;
    if (header.version != 4 || header.ihl < 5 || header.protocol != protocol)
        return 0;
    /* Fragments after the first have no ports. */
    if (header.frag_off & bpf_htons(0x1fff))
        return 0;
    *offset = header.ihl * 4;
    return 1;
}

static __always_inline int find_after_ipv6(struct __sk_buff *skb, __u8 protocol, __u32 *offset)
{
    struct ipv6hdr header;
    if (load(skb, 0, &header, sizeof header) || header.version != 6)
        return 0;

    __u8 next = header.nexthdr;
    __u32 position = sizeof header;
    for (int i = 0; i <= MOST_EXTENSION_HEADERS; i++) {
        if (next == protocol) {
            *offset = position;
            return 1;
        }
        struct extension_header extension;
        if (load(skb, position, &extension, sizeof extension))
            return 0;
        switch (next) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
            position += (extension.length + 1) * 8;
            break;
        case IPPROTO_FRAGMENT:
            if (extension.fragment_offset & bpf_htons(0xfff8))
                return 0;
            position += 8;
            break;
        case IPPROTO_AH:
            position += (extension.length + 2) * 4;
            break;
        default:
            return 0;
        }
        next = extension.next;
    }
    return 0;
}

static __always_inline int find(struct __sk_buff *skb, __u8 protocol, __u32 *offset)
{
    if (skb->protocol == bpf_htons(ETH_P_IP))
        return find_after_ipv4(skb, protocol, offset);
    if (skb->protocol == bpf_htons(ETH_P_IPV6))
        return find_after_ipv6(skb, protocol, offset);
    return 0;
}

static __always_inline int find_tcp(struct __sk_buff *skb, __u32 *offset)
{
    return find(skb, IPPROTO_TCP, offset);
}

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

#include "clock.h"
#include "segments.h"
#include "peers.h"
#include "datagrams.h"
#include "refusals.h"
#include "probes.h"
#include "plain.h"

/* A segment that only acknowledges, or asks whether the peer is still there: no use of the connection. */
static __always_inline int is_bare(const struct tcp_begin *begin, __u32 tcp, __u32 end)
{
    /* Packets that are larger than their length field can say have none. */
    return end == tcp + (begin->length >> 4) * 4 && !(begin->flags & (SYN | FIN | RST));
}

/* Only ports that are in the map already: what else goes on in the pod costs one failed look-up a packet. */
static __always_inline void note(struct __sk_buff *skb, __u32 offset, int ingress)
{
    struct tcp_begin begin = {};
    /* A first fragment may end before what its segment is for. */
    int is_short = load(skb, offset, &begin, sizeof begin);
    if (is_short && load(skb, offset, &begin.ports, sizeof begin.ports))
        return;
    __u16 port = bpf_ntohs(ingress ? begin.ports.destination : begin.ports.source);
    __u64 *last = bpf_map_lookup_elem(&activity, &port);
    if (!last) {
        if (!ingress && is_refusal(&begin))
            note_refusal(skb);
        return;
    }
    if (*last == ZP_PASSIVE)
        return;
    struct zp_flow flow = {};
    __u32 end = load_flow(skb, begin.ports, ingress, &flow);
    /* A peer that does not count may ask as a probe, too, and is remembered: so use is asked last. */
    if ((is_short || !is_bare(&begin, offset, end)) && !belongs_to_probe(skb, offset, &flow, ingress)
        && is_use(skb, ingress))
        note_now(last);
}

/* Any packet, whatever stands before its ports, and wherever it lies in memory. */
static __always_inline void note_any(struct __sk_buff *skb, int ingress)
{
    __u32 offset;
    if (find_tcp(skb, &offset))
        note(skb, offset, ingress);
    else
        note_datagram(skb, ingress);
}

/* TC_ACT_UNSPEC and TCX_NEXT are the same number: the next program of the chain decides. */
SEC("tc")
int zeropod_ingress(struct __sk_buff *skb)
{
    if (!note_plain(skb, 1))
        note_any(skb, 1);
    return TC_ACT_UNSPEC;
}

SEC("tc")
int zeropod_egress(struct __sk_buff *skb)
{
    if (!note_plain(skb, 0))
        note_any(skb, 0);
    return TC_ACT_UNSPEC;
}

static __always_inline void count(enum zp_counter which)
{
    __u32 key = which;
    __u64 *value = bpf_map_lookup_elem(&counters, &key);
    if (value)
        increment(value);
}

static __always_inline int assign(struct bpf_sk_lookup *lookup, __u32 slot, enum zp_counter counter)
{
    struct bpf_sock *listener = bpf_map_lookup_elem(&activators, &slot);
    if (!listener) {
        count(ZP_NO_ACTIVATOR);
        return 0;
    }
    long error = bpf_sk_assign(lookup, listener, 0);
    bpf_sk_release(listener);
    count(error ? ZP_REFUSED : counter);
    return !error;
}

SEC("sk_lookup")
int zeropod_steer(struct bpf_sk_lookup *lookup)
{
    __u16 number = lookup->local_port;
    struct zp_port *port = lookup->protocol == IPPROTO_TCP ? bpf_map_lookup_elem(&ports, &number) : 0;
    if (port && port->received && (port->passive || may_be_probe(lookup))
        && assign(lookup, ZP_MAX_ACTIVATORS + port->activator, ZP_RECEIVED))
        return SK_PASS;
    if (is_turned_away(lookup)) {
        count(ZP_TURNED_AWAY);
        return SK_DROP;
    }
    if (port && port->redirected)
        assign(lookup, port->activator, ZP_STEERED);
    return SK_PASS;
}

char LICENSE[] SEC("license") = "GPL";
