/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Which packets of a declared port do not count as use: those of the kubelet's probes.
 *
 * A connection from an address of the node may be one. It is undecided until its first bytes say: an HTTP request with
 * the kubelet's User-Agent, the same in HTTP/2 (gRPC), or nothing at all (a TCP probe). What it says is decided here
 * roughly, and once more in full by user space before anything is answered. The request is remembered with who
 * asked and what the application answered: asleep, the same asker gets the same answer. Packets from elsewhere cost one
 * look-up, plain ones (plain.h) none.
 *
 * A connection is followed from its SYN on, and what comes over it is read only if it acknowledges what the pod has
 * sent. A segment that somebody made up, who has not seen the pod's SYN-ACK, is traffic and remembered nowhere.
 */
#ifndef ZEROPOD_PROBES_H
#define ZEROPOD_PROBES_H

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ZP_MAX_PROBERS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct zp_address);
    __type(value, __u8);
} probers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, ZP_MAX_FLOWS);
    __type(key, struct zp_flow);
    __type(value, struct zp_flow_state);
} flows SEC(".maps");

/* Whence connections were followed: 1, by the last byte of the address. Packets from elsewhere are in no flow. */
struct sources {
    __u8 by_last_byte[256];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct sources);
} followed SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, ZP_MAX_REQUESTS);
    __type(key, __u32);
    __type(value, struct zp_request);
} requests SEC(".maps");

/* Eight bytes as they come over the wire, in a number that is shifted left by one byte after the other. */
#define WORD(a, b, c, d, e, f, g, h) \
    ((__u64)(a) << 56 | (__u64)(b) << 48 | (__u64)(c) << 40 | (__u64)(d) << 32 | (__u64)(e) << 24 | (__u64)(f) << 16 \
     | (__u64)(g) << 8 | (__u64)(h))

enum {
    /* Segments of an HTTP/2 connection before the request: preface, settings, acknowledgements. */
    MOST_HTTP2_SEGMENTS = 8,
    /* The message of a health check is the last thing in its segment, and the deadline before it is different each time. */
    HTTP2_TAIL = 32,
    /* The kind of a frame (RFC 9113, 6.5). */
    HTTP2_SETTINGS = 4,
    /* <sys/socket.h> is not for BPF. */
    FAMILY_IPV4 = 2,
};

struct segment {
    __u32 offset; /* of the payload */
    __u32 length;
    __u8 flags;
};

/*
 * Functions that are not static are looked at by the verifier once, and not for each way that leads to them. They take
 * numbers only (other pointers than the context's since Linux 5.13).
 */
#define COLD __attribute__((noinline))

struct scan {
    __u64 http;  /* 0: "User-Agent: kube-probe/" is in it, at the beginning of a line */
    __u64 http2; /* 0: "kube-probe/" is, plain or in the Huffman code of RFC 7541 */
    __u64 hash;  /* FNV-1a */
};

/* What `scan_payload` found, in the lowest bits of the hash. */
enum { FOUND_HTTP = 1, FOUND_HTTP2 = 2, FOUND = 3 };

static const __u64 hash_begin = 0xcbf29ce484222325;

static __always_inline __u64 add_to_hash(__u64 hash, __u8 byte) { return (hash ^ byte) * 0x100000001b3; }

/* 1 unless the number is 0. Without a branch, of which the verifier would follow both sides a thousand times. */
static __always_inline __u64 differs(__u64 difference)
{
    __u64 negative = -difference;
    /* The compiler must not see what this is about, or it branches. */
    asm volatile("" : "+r"(negative));
    return (difference | negative) >> 63;
}

static __always_inline void step(struct scan *scan, __u64 window[3], __u8 byte)
{
    window[2] = window[2] << 8 | window[1] >> 56;
    window[1] = window[1] << 8 | window[0] >> 56;
    window[0] = window[0] << 8 | byte;
    scan->hash = add_to_hash(scan->hash, byte);

    __u64 end = window[0] ^ WORD('e', '-', 'p', 'r', 'o', 'b', 'e', '/');
    __u64 middle = window[1] ^ WORD('e', 'n', 't', ':', ' ', 'k', 'u', 'b');
    __u64 begin = window[2] ^ WORD('\n', 'U', 's', 'e', 'r', '-', 'A', 'g');
    scan->http &= differs(end | middle | begin);
    /* The eleven codes happen to be 64 bits. */
    scan->http2 &= differs(end | (middle & 0xffffff)) & differs(window[0] ^ 0xeb6c655abb0f1958);
}

/* Looks at the first ZP_REQUEST_SCANNED bytes, eight at a time: one size of load, one way through the loop. */
COLD __u64 scan_payload(struct __sk_buff *skb, __u32 offset, __u32 length)
{
    struct scan scan = {1, 1, hash_begin};
    __u64 window[3] = {};
    for (__u32 i = 0; i < ZP_REQUEST_SCANNED; i += 8) {
        __u64 bytes;
        if (i + 8 > length || load(skb, offset + i, &bytes, 8))
            break;
        for (int j = 0; j < 8; j++) {
            step(&scan, window, bytes);
            bytes >>= 8;
        }
    }
    return (scan.hash & ~(__u64)FOUND) | !scan.http * FOUND_HTTP | !scan.http2 * FOUND_HTTP2;
}

/* Of the end of the segment, whatever stands before it. */
COLD __u64 hash_tail(struct __sk_buff *skb, __u32 offset, __u32 length, __u64 hash)
{
    __u8 tail[HTTP2_TAIL];
    if (length < HTTP2_TAIL || load(skb, offset + length - HTTP2_TAIL, tail, HTTP2_TAIL))
        return hash;
    for (int i = 0; i < HTTP2_TAIL; i++)
        hash = add_to_hash(hash, tail[i]);
    return hash;
}

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

/* The place of a request in the map: its own, or a free one, or that of the request that was not seen for longest. */
static __always_inline __u32 place_for(__u64 hash)
{
    __u32 place = 0;
    __u64 oldest = ~0ULL;
    for (__u32 i = 0; i < ZP_MAX_REQUESTS; i++) {
        __u32 key = i;
        struct zp_request *request = bpf_map_lookup_elem(&requests, &key);
        if (!request)
            break;
        if (request->hash == hash)
            return i;
        __u64 last = request->hash ? request->last : 0;
        if (last < oldest) {
            oldest = last;
            place = i;
        }
    }
    return place;
}

static __always_inline __u64 add_asker(__u64 hash, const struct zp_address *asker)
{
    for (int i = 0; i < 4; i++)
        hash = (hash ^ asker->words[i]) * 0x100000001b3;
    return hash;
}

/* - Returns: where it is in the map. */
COLD __u32 remember(struct __sk_buff *skb, __u32 tcp, __u64 hash, __u32 answer)
{
    struct port_pair pair;
    struct zp_flow flow = {};
    struct segment segment;
    if (load(skb, tcp, &pair, sizeof pair))
        return 0;
    __u32 end = load_flow(skb, pair, 1, &flow);
    if (!end || !load_segment(skb, tcp, end, &segment))
        return 0;
    __u32 length = segment.length;
    hash = add_asker(hash ^ pair.destination, &flow.remote) | 1;
    __u32 place = place_for(hash);
    struct zp_request *request = bpf_map_lookup_elem(&requests, &place);
    if (!request)
        return 0;
    request->last = bpf_ktime_get_ns();
    request->answered = 0;
    request->is_over = 0;
    request->answer = answer;
    /* The same as before, if all of it is in the hash. */
    if (request->hash == hash && length <= ZP_REQUEST_SCANNED)
        return place;
    request->length = 0;
    request->hash = hash;
    request->remote = flow.remote;
    request->port = bpf_ntohs(pair.destination);
    request->whole = length;
    if (length > ZP_REQUEST_SIZE)
        length = ZP_REQUEST_SIZE;
    /* Before Linux 6.2 the verifier knows no number to be above 0 from what is one less. */
    __u32 last = length - 1;
    asm volatile("" : "+r"(last));
    if (last < ZP_REQUEST_SIZE && !load(skb, segment.offset, request->bytes, last + 1))
        request->length = length;
    return place;
}

/* What of a gRPC request did not fit into the segment of its headers. */
COLD int remember_more(struct __sk_buff *skb, __u32 offset, __u32 length, __u32 place)
{
    struct zp_request *request = bpf_map_lookup_elem(&requests, &place);
    if (!request)
        return 0;
    __u32 end = request->length;
    if (end > ZP_REQUEST_SIZE / 2)
        return 0;
    __u32 last = length - 1;
    asm volatile("" : "+r"(last));
    if (last >= ZP_REQUEST_SIZE / 2)
        return 0;
    if (!load(skb, offset, request->bytes + end, last + 1)) {
        request->length = end + length;
        request->whole += length;
    }
    return 0;
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

/* The first four bytes of a request. 0 if there are fewer. */
static __always_inline __u32 begin_of(struct __sk_buff *skb, const struct segment *segment)
{
    __u8 bytes[4];
    if (segment->length < sizeof bytes || load(skb, segment->offset, bytes, sizeof bytes))
        return 0;
    return (__u32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

enum { GET = 0x47455420 /* "GET " */, PRI = 0x50524920 /* "PRI " */, TLS = 0x1603 /* a handshake's record */ };

/* What is known of a port of the pod's. */
static __always_inline struct zp_port *port_of(__be16 local_port)
{
    __u16 number = bpf_ntohs(local_port);
    return bpf_map_lookup_elem(&ports, &number);
}

static __always_inline void note_tls(__be16 local_port)
{
    struct zp_port *port = port_of(local_port);
    if (port)
        port->last_tls = bpf_ktime_get_ns();
}

/* What the reception says, and when it is silent, tells nothing of the application. One that has spoken first may be slow
 * the next time. */
static __always_inline void note_speaker(__be16 local_port, enum zp_speaker speaker)
{
    struct zp_port *port = port_of(local_port);
    if (port && !port->received && port->speaker < speaker)
        port->speaker = speaker;
}

static __always_inline int decide(
    struct __sk_buff *skb, __u32 tcp, const struct segment *segment, struct zp_flow_state *state, __be16 local_port)
{
    __u32 begin = begin_of(skb, segment);
    if (begin >> 16 == TLS)
        note_tls(local_port);
    int is_http2 = state->kind == ZP_HTTP2 || begin == PRI;
    if (!is_http2 && begin != GET)
        return 0;
    __u64 found = scan_payload(skb, segment->offset, segment->length);
    if (found & (is_http2 ? FOUND_HTTP2 : FOUND_HTTP)) {
        __u64 hash = is_http2 ? hash_begin : found & ~(__u64)FOUND;
        state->answer = state->next;
        state->request = remember(skb, tcp, hash_tail(skb, segment->offset, segment->length, hash), state->answer);
        state->kind = ZP_PROBE;
        return 1;
    }
    state->kind = ZP_HTTP2;
    return is_http2 && ++state->segments < MOST_HTTP2_SEGMENTS;
}

/* Whether a segment acknowledges what the pod has sent: only who has seen it can. */
static __always_inline int is_from_peer(struct __sk_buff *skb, __u32 tcp, const struct zp_flow_state *state)
{
    __be32 acknowledged;
    if (state->kind == ZP_CALLED || load(skb, tcp + 8, &acknowledged, sizeof acknowledged))
        return 0;
    return bpf_ntohl(acknowledged) - state->begin <= state->next - state->begin;
}

/* A packet that came from an address of the node. */
COLD int received_from_node(struct __sk_buff *skb, __u32 tcp)
{
    struct zp_flow key = {}, *flow = &key;
    struct port_pair pair;
    struct segment segment;
    if (load(skb, tcp, &pair, sizeof pair))
        return 0;
    __u32 end = load_flow(skb, pair, 1, flow);
    if (!load_segment(skb, tcp, end, &segment))
        return 0;
    if ((segment.flags & (SYN | ACK)) == SYN) {
        __u32 zero = 0;
        struct sources *sources = bpf_map_lookup_elem(&followed, &zero);
        if (sources)
            sources->by_last_byte[bpf_ntohl(flow->remote.words[3]) & 0xff] = 1;
        struct zp_flow_state state = {.kind = ZP_CALLED};
        bpf_map_update_elem(&flows, flow, &state, BPF_ANY);
        return 1;
    }
    struct zp_flow_state *state = bpf_map_lookup_elem(&flows, flow);
    if (!state)
        return 0;
    if (segment.length == 0)
        return 1;
    if (!is_from_peer(skb, tcp, state) || !make_readable(skb, &segment, ZP_REQUEST_SIZE))
        return 0;
    /* A kubelet makes a connection for each probe. Who asks again on the same one has to say again who it is. */
    if (state->kind == ZP_PROBE && begin_of(skb, &segment) != GET) {
        remember_more(skb, segment.offset, segment.length, state->request);
        return 1;
    }
    if (state->kind == ZP_UNDECIDED && state->next == state->begin)
        note_speaker(flow->local_port, ZP_CLIENT);
    if (decide(skb, tcp, &segment, state, flow->local_port))
        return 1;
    bpf_map_delete_elem(&flows, flow);
    return 0;
}

/* Adds what is sent to the answer. */
COLD int keep_answer(struct __sk_buff *skb, __u32 offset, __u32 length, __u32 place)
{
    struct zp_request *request = bpf_map_lookup_elem(&requests, &place);
    if (!request)
        return 0;
    __u32 end = request->answered;
    for (__u32 i = 0; i < ZP_ANSWER_SIZE; i += ZP_ANSWER_PIECE) {
        __u32 at = end + i;
        /* The compiler must not add to the pointer before the verifier has seen the bound. */
        asm volatile("" : "+r"(at));
        if (i >= length || at >= ZP_ANSWER_SIZE)
            break;
        /* Before Linux 6.2 the verifier knows no number to be above 0 from what is one less. */
        __u32 last = length - i - 1;
        if (last >= ZP_ANSWER_PIECE)
            last = ZP_ANSWER_PIECE - 1;
        asm volatile("" : "+r"(last));
        if (last >= ZP_ANSWER_PIECE || load(skb, offset + i, request->reply + at, last + 1))
            return 0;
    }
    request->answered = end + length;
    return 0;
}

/* The first segment that the pod sends to who has said nothing yet. Servers of HTTP/2 send their settings at once, and
 * so do its clients. */
static __always_inline void hear_first(struct __sk_buff *skb, const struct segment *segment, __be16 local_port)
{
    __u8 frame[9];
    /* A FIN tells nothing: a proxy, which closes when its client does, may wait for a server that speaks first. */
    if (segment->length == 0)
        return;
    if (segment->length >= sizeof frame && make_readable(skb, segment, sizeof frame)
        && !load(skb, segment->offset, frame, sizeof frame) && frame[0] == 0 && frame[3] == HTTP2_SETTINGS
        && frame[4] == 0 && (frame[5] | frame[6] | frame[7] | frame[8]) == 0)
        return;
    note_speaker(local_port, ZP_APPLICATION);
}

/* A packet that goes to an address of the node. What is sent again is kept already, or its beginning was missed. */
COLD int sent_to_node(struct __sk_buff *skb, __u32 tcp)
{
    struct zp_flow key = {}, *flow = &key;
    struct segment segment;
    struct tcp_begin begin;
    if (load(skb, tcp, &begin, sizeof begin))
        return 0;
    __u32 end = load_flow(skb, begin.ports, 0, flow);
    if (!load_segment(skb, tcp, end, &segment))
        return 0;
    struct zp_flow_state *state = bpf_map_lookup_elem(&flows, flow);
    if (!state)
        return 0;
    __u32 number = bpf_ntohl(begin.sequence);
    if (segment.flags & SYN) {
        if (state->kind == ZP_CALLED) {
            state->begin = state->next = number + 1;
            state->kind = ZP_UNDECIDED;
        }
        return 1;
    }
    /* Nobody listens there. */
    if (segment.flags & RST && state->kind == ZP_CALLED)
        return 0;
    if (state->kind == ZP_UNDECIDED && number == state->begin)
        hear_first(skb, &segment, flow->local_port);
    if (number == state->next)
        state->next = number + segment.length;
    if (state->kind != ZP_PROBE)
        return 1;
    __u32 place = state->request, answer = state->answer;
    struct zp_request *request = bpf_map_lookup_elem(&requests, &place);
    if (!request || request->answer != answer || request->answered != number - answer)
        return 1;
    if (segment.length != 0 && make_readable(skb, &segment, ZP_ANSWER_SIZE))
        keep_answer(skb, segment.offset, segment.length, place);
    if (segment.flags & FIN && request->answered == number - answer + segment.length)
        request->is_over = 1;
    return 1;
}

static __always_inline int belongs_to_probe(
    struct __sk_buff *skb, __u32 tcp, const struct zp_flow *flow, int ingress)
{
    if (!bpf_map_lookup_elem(&probers, &flow->remote))
        return 0;
    return ingress ? received_from_node(skb, tcp) : sent_to_node(skb, tcp);
}

/* Whether a packet that opens no connection can be one of a probe's. */
static __always_inline int may_be_followed(struct __sk_buff *skb, struct port_pair pair, __u8 remote, int ingress)
{
    __u32 key = 0;
    struct sources *sources = bpf_map_lookup_elem(&followed, &key);
    if (sources && !sources->by_last_byte[remote])
        return 0;
    struct zp_flow flow = {};
    load_flow(skb, pair, ingress, &flow);
    return bpf_map_lookup_elem(&flows, &flow) != 0;
}

static __always_inline int may_be_probe(struct bpf_sk_lookup *lookup)
{
    struct zp_address remote;
    if (lookup->family == FAMILY_IPV4) {
        __u32 ipv4 = lookup->remote_ip4;
        /* Else the compiler computes which field to read, and the verifier allows constants only. */
        asm volatile("" : "+r"(ipv4));
        map_ipv4(&remote, ipv4);
    } else {
        __u32 last = lookup->remote_ip6[3];
        asm volatile("" : "+r"(last));
        remote.words[0] = lookup->remote_ip6[0];
        remote.words[1] = lookup->remote_ip6[1];
        remote.words[2] = lookup->remote_ip6[2];
        remote.words[3] = last;
    }
    return bpf_map_lookup_elem(&probers, &remote) != 0;
}

#endif
