/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Connections that stay open while their process is away: what becomes of their packets.
 *
 * From the moment at which a container's processes stand still until they run again the kernel has no socket for them,
 * or one that must not change. A packet would be answered with RST, or be lost with the socket. So it is held here:
 * keep-alive probes are answered, acknowledgements have nothing to tell, and all else wakes the container. What is
 * dropped the peer sends again; user space sends it again sooner.
 */
#ifndef ZEROPOD_CONNECTIONS_H
#define ZEROPOD_CONNECTIONS_H

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    /* One that NAT within the pod changes arrives in two ways. */
    __uint(max_entries, 2 * ZP_MAX_CONNECTIONS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct zp_flow);
    __type(value, struct zp_connection);
} connections SEC(".maps");

/* How many containers have connections in the map. All that an awake pod's packets cost is to read it. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} holding SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, ZP_ARRIVALS_SIZE);
} arrivals SEC(".maps");

enum {
    ETHERNET = 14,
    TCP_HEADER = 20,
    /* Two bytes of padding before it: how all systems send it. */
    TCP_TIMESTAMPS = 12,
};

static __always_inline __u16 fold(__u64 sum)
{
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32 & 0xffff) + (sum >> 48);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* Of the addresses; the same in both directions. The words that make IPv4 addresses IPv6 ones do not count. */
static __always_inline __u64 sum_addresses(const struct zp_flow *flow, int is_ipv4)
{
    __u64 sum = (__u64)flow->remote.words[3] + flow->local.words[3];
    if (!is_ipv4)
        for (int i = 0; i < 3; i++)
            sum += (__u64)flow->remote.words[i] + flow->local.words[i];
    return sum;
}

/*
 * Answers with what the socket would answer: "I have all up to here." Only what such probes look like everywhere; for
 * another the container wakes.
 *
 * - Returns: what the program must return, or 0 if this one cannot be answered here.
 */
static __always_inline int answer(
    struct __sk_buff *skb, __u32 tcp, const struct zp_flow *flow, struct zp_connection *connection, __u32 length)
{
    int is_ipv4 = skb->protocol == bpf_htons(ETH_P_IP);
    if (tcp != (is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)))
        return 0;

    /* The words of the header: 4 of it are checked, those of the timestamps are given back. */
    __u32 words[8] = {};
    __u32 header = TCP_HEADER + (connection->has_timestamps ? TCP_TIMESTAMPS : 0);
    if (load(skb, tcp, words, TCP_HEADER) || (bpf_ntohl(words[3]) >> 28) * 4 != header)
        return 0;
    if (connection->has_timestamps
        && (load(skb, tcp + TCP_HEADER, words + 5, TCP_TIMESTAMPS) || words[5] != bpf_htonl(0x0101080a)))
        return 0;

    /* Devices without an Ethernet header have the IP header at once. */
    __u32 link[4], here[3], there[3];
    if (bpf_skb_load_bytes(skb, 0, link, ETHERNET) || load(skb, 8, here, sizeof here)
        || bpf_skb_load_bytes(skb, ETHERNET + 8, there, sizeof there) || here[0] != there[0] || here[1] != there[1]
        || here[2] != there[2] || (__u16)link[3] != skb->protocol)
        return 0;

    /*
     * A sender on this machine leaves the checksum to the device: then the field has the sum of the pseudo header, and
     * so it must be in the answer, which the kernel still takes for such a packet.
     */
    __u64 pseudo = sum_addresses(flow, is_ipv4) + bpf_htons(IPPROTO_TCP);
    int is_partial = (__u16)words[4] == fold(pseudo + bpf_htons(header + length));

    __u32 size = ETHERNET + tcp + header;
    if (skb->len != size && bpf_skb_change_tail(skb, size, 0))
        return 0;

    words[0] = flow->local_port | (__u32)flow->remote_port << 16;
    words[1] = bpf_htonl(connection->sent);
    words[2] = bpf_htonl(connection->received);
    words[3] = bpf_htonl(header / 4 << 28 | ACK << 16 | connection->window);
    words[4] = 0;
    if (connection->has_timestamps) {
        words[7] = words[6];
        words[6] = bpf_htonl(connection->timestamp);
    }
    pseudo += bpf_htons(header);
    __u64 sum = pseudo;
    for (int i = 0; i < 8; i++)
        sum += words[i];
    words[4] = is_partial ? fold(pseudo) : (__u16)~fold(sum);

    __u64 flags = BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH;
    __u8 *bytes = (__u8 *)link, swapped[12];
    for (int i = 0; i < 6; i++) {
        swapped[i] = bytes[6 + i];
        swapped[6 + i] = bytes[i];
    }
    if (bpf_skb_store_bytes(skb, 0, swapped, sizeof swapped, flags))
        return 0;
    if (is_ipv4) {
        struct iphdr ip = {
            .version = 4, .ihl = 5, .tot_len = bpf_htons(tcp + header), .frag_off = bpf_htons(0x4000), .ttl = 64,
            .protocol = IPPROTO_TCP, .saddr = flow->local.words[3], .daddr = flow->remote.words[3],
        };
        __u32 *word = (__u32 *)&ip;
        sum = 0;
        for (int i = 0; i < 5; i++)
            sum += word[i];
        ip.check = (__u16)~fold(sum);
        if (bpf_skb_store_bytes(skb, ETHERNET, &ip, sizeof ip, flags))
            return 0;
    } else {
        struct ipv6hdr ip = {
            .version = 6, .payload_len = bpf_htons(header), .nexthdr = IPPROTO_TCP, .hop_limit = 64,
        };
        __builtin_memcpy(&ip.saddr, &flow->local, sizeof ip.saddr);
        __builtin_memcpy(&ip.daddr, &flow->remote, sizeof ip.daddr);
        if (bpf_skb_store_bytes(skb, ETHERNET, &ip, sizeof ip, flags))
            return 0;
    }
    if (connection->has_timestamps ? bpf_skb_store_bytes(skb, ETHERNET + tcp, words, 32, flags)
                                   : bpf_skb_store_bytes(skb, ETHERNET + tcp, words, 20, flags))
        return 0;
    connection->answered++;
    return bpf_redirect(skb->ifindex, 0);
}

/* Tells user space, and gives it the packet from the IP header on, if it is not too long. */
static __always_inline void tell(struct __sk_buff *skb, __u32 slot, __u32 length)
{
    struct zp_arrival *arrival = bpf_ringbuf_reserve(&arrivals, sizeof *arrival, 0);
    /* Then it is told already, and has not looked yet. */
    if (!arrival)
        return;
    arrival->slot = slot;
    arrival->length = 0;
    /* Before Linux 6.2 the verifier knows no number to be above 0 from what is one less. */
    __u32 last = length - 1;
    asm volatile("" : "+r"(last));
    if (last < ZP_PACKET_SIZE && !load(skb, 0, arrival->bytes, last + 1))
        arrival->length = length;
    bpf_ringbuf_submit(arrival, BPF_RB_FORCE_WAKEUP);
}

/* - Returns: what becomes of the packet; TC_ACT_UNSPEC if it is not one of these connections. */
COLD int hold(struct __sk_buff *skb, __u32 tcp)
{
    struct port_pair pair;
    struct segment segment;
    struct zp_flow flow = {};
    if (load(skb, tcp, &pair, sizeof pair))
        return TC_ACT_UNSPEC;
    __u32 end = load_flow(skb, pair, 1, &flow);
    struct zp_connection *connection = bpf_map_lookup_elem(&connections, &flow);
    struct packet_name name = {};
    enum fragment fragment = load_fragment(skb, &name);
    if (!connection) {
        let_others_pass(fragment, &name);
        return TC_ACT_UNSPEC;
    }
    if (fragment == FIRST_FRAGMENT) {
        /* Acknowledgements are not as long. A part of a packet is of no use later: it comes again as a whole. */
        connection->is_wanted = 1;
        tell(skb, connection->slot, 0);
        return TC_ACT_SHOT;
    }
    if (!load_segment(skb, tcp, end, &segment))
        return TC_ACT_SHOT;
    /* Packets that are larger than their length field can say have none. */
    if (end < segment.offset)
        segment.length = ~0U;

    __be32 sequence = 0;
    load(skb, tcp + 4, &sequence, sizeof sequence);
    int is_bare = !(segment.flags & (SYN | FIN | RST));
    if (connection->state == ZP_STOPPED) {
        /* Where the connection stands is not known yet. What is dropped here comes again. */
        if (is_bare && segment.length == 0)
            return TC_ACT_SHOT;
    } else if (is_bare && !connection->is_owed) {
        if (segment.length <= 1 && bpf_ntohl(sequence) == connection->received - 1) {
            int action =
                connection->is_translated ? 0 : answer(skb, tcp, &flow, connection, segment.length);
            if (action)
                return action;
        } else if (segment.length == 0) {
            return TC_ACT_SHOT;
        }
    }

    connection->is_wanted = 1;
    if (end <= ZP_PACKET_SIZE)
        bpf_skb_pull_data(skb, skb->len);
    /* Neither would what is sent in again. */
    tell(skb, connection->slot, connection->is_translated ? 0 : end);
    return TC_ACT_SHOT;
}

#endif
