/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What is remembered of probes: the request, who asked it, and what the application answered.
 */
#ifndef ZEROPOD_REQUESTS_H
#define ZEROPOD_REQUESTS_H

#include "segments.h"

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
    /* The message of a health check is the last thing in its segment, and the deadline before it is different each time. */
    HTTP2_TAIL = 32,
};

struct scan {
    __u64 http;  /* 0: "User-Agent: kube-probe/" is in it, at the beginning of a line */
    __u64 http2; /* 0: "kube-probe/" is, plain or in the Huffman code of RFC 7541 */
    __u64 hash;  /* FNV-1a */
};

/* What `scan_payload` found, in the lowest bits of the hash. */
enum { FOUND_HTTP = 1, FOUND_HTTP2 = 2, FOUND = 3 };

static const __u64 hash_begin = 0xcbf29ce484222325;

static __always_inline __u64 add_to_hash(__u64 hash, __u32 word) { return (hash ^ word) * 0x100000001b3; }

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

/* Adds the end of the segment to the hash, whatever stands before it. */
COLD __u64 hash_tail(struct __sk_buff *skb, __u32 offset, __u32 length, __u64 hash)
{
    __u8 tail[HTTP2_TAIL];
    if (length < HTTP2_TAIL || load(skb, offset + length - HTTP2_TAIL, tail, HTTP2_TAIL))
        return hash;
    for (int i = 0; i < HTTP2_TAIL; i++)
        hash = add_to_hash(hash, tail[i]);
    return hash;
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
        hash = add_to_hash(hash, asker->words[i]);
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

/* Keeps the part of a gRPC request that did not fit into the segment of its headers. */
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

#endif
