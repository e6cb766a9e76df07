/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Peers whose packets do not count as use (the annotation ignore-peers). While a container sleeps they are refused at its
 * ports, so that nothing of theirs waits where others wait. A pod that ignores nobody pays for one look at a number, and
 * only for packets that count.
 */
#ifndef ZEROPOD_PEERS_H
#define ZEROPOD_PEERS_H

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, ZP_MAX_IGNORED);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct zp_range);
    __type(value, __u8);
} ignored SEC(".maps");

/* Where they are refused now. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ZP_MAX_REFUSING);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct zp_service);
    __type(value, __u8);
} refusing SEC(".maps");

static __always_inline int ignores_peers(void)
{
    __u32 key = 0;
    struct zp_pod *found = bpf_map_lookup_elem(&pod, &key);
    return found && found->ignores;
}

static __always_inline int is_ignored(const struct zp_address *peer)
{
    struct zp_range range = {.length = 8 * sizeof *peer, .address = *peer};
    return bpf_map_lookup_elem(&ignored, &range) != 0;
}

COLD int has_ignored_peer(struct __sk_buff *skb, int ingress)
{
    struct zp_address source = {}, destination = {};
    return load_addresses(skb, &source, &destination) && is_ignored(ingress ? &source : &destination);
}

/* Whether a packet counts as use, as far as that depends on whose it is. */
static __always_inline int is_use(struct __sk_buff *skb, int ingress)
{
    return !ignores_peers() || !has_ignored_peer(skb, ingress);
}

/* Whether who connects, or sends a datagram, is to be told that nobody is there. */
static __always_inline int is_turned_away(struct bpf_sk_lookup *lookup)
{
    if (!ignores_peers())
        return 0;
    struct zp_service service = {.protocol = lookup->protocol, .port = lookup->local_port};
    if (!bpf_map_lookup_elem(&refusing, &service))
        return 0;
    struct zp_address remote;
    load_remote(lookup, &remote);
    return is_ignored(&remote);
}

#endif
