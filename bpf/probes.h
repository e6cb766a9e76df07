/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Which packets of a declared port do not count as use: those of the kubelet's probes.
 *
 * A connection from an address of the node may be one. It is undecided until its first bytes say: an HTTP request with
 * the kubelet's User-Agent, the same in HTTP/2 (gRPC), or nothing at all (a TCP probe). What it says is decided here
 * roughly, and once more in full by user space before anything is answered. The request is remembered (requests.h) with
 * who asked and what the application answered: asleep, the same asker gets the same answer. Packets from elsewhere cost one
 * look-up, plain ones (plain.h) none.
 *
 * A connection is followed from its SYN on, and what comes over it is read only if it acknowledges what the pod has
 * sent. A segment that somebody made up, who has not seen the pod's SYN-ACK, is traffic and remembered nowhere.
 */
#ifndef ZEROPOD_PROBES_H
#define ZEROPOD_PROBES_H

#include "requests.h"
#include "segments.h"

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

/* 1 for each last byte of an address from which a connection was followed. Packets from addresses with other last bytes
 * belong to no followed flow. */
struct sources {
    __u8 by_last_byte[256];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct sources);
} followed SEC(".maps");

enum {
    /* Segments of an HTTP/2 connection before the request: preface, settings, acknowledgements. */
    MOST_HTTP2_SEGMENTS = 8,
    /* The kind of a frame (RFC 9113, 6.5). */
    HTTP2_SETTINGS = 4,
};

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

/* The words of the reception, and its silence, tell nothing of the application. An application that has spoken first
 * may be slow the next time, so that stays noted. */
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
    load_remote(lookup, &remote);
    return bpf_map_lookup_elem(&probers, &remote) != 0;
}

#endif
