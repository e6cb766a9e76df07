// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The tracker: one for all pods of a node. It notes when a connection was accepted on any port of a registered
 * network namespace, in that pod's own activity map; also on ports that nobody has declared yet.
 *
 * One of the two programs is attached: `zeropod_accepted` (a kretprobe) where the kernel has kprobes, else `zeropod_established`.
 * A hook is shared by the whole node, so that hundreds of pods do not mean hundreds of programs on it.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ptrace.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "activity.h"
#include "zeropod.h"

/* The few fields that are read, found at load time where the running kernel has them (CO-RE). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
    unsigned int inum;
};
struct net {
    struct ns_common ns;
};
typedef struct {
    struct net *net;
} possible_net_t;
struct in6_addr {
    __u32 words[4];
};
struct sock_common {
    __u32 skc_daddr;
    __u16 skc_num;
    __u16 skc_family;
    struct in6_addr skc_v6_daddr;
    possible_net_t skc_net;
};
struct sock {
    struct sock_common __sk_common;
    __u16 sk_protocol; /* 16 bits since Linux 5.6 */
};
#pragma clang attribute pop

/* Inode number of a network namespace -> the activity map of its pod. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
    __uint(max_entries, ZP_MAX_PODS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u32);
    __array(values, struct activity_map);
} namespaces SEC(".maps");

/* The node's addresses, the same for all pods. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ZP_MAX_PROBERS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct zp_address);
    __type(value, __u8);
} probers SEC(".maps");

enum {
    /* <sys/socket.h> is not for BPF. */
    FAMILY_IPV6 = 10,
    /* 127.0.0.6: what the kernel has for the IPv4 address of an IPv6 connection (LOOPBACK4_IPV6 of <net/ipv6.h>). */
    NO_IPV4 = 0x7f000006,
};

static __always_inline int is_from_node(struct sock *sock)
{
    struct zp_address peer = {};
    __u32 ipv4 = BPF_CORE_READ(sock, __sk_common.skc_daddr);
    if (BPF_CORE_READ(sock, __sk_common.skc_family) == FAMILY_IPV6 && ipv4 == bpf_htonl(NO_IPV4)) {
        BPF_CORE_READ_INTO(&peer, sock, __sk_common.skc_v6_daddr);
    } else {
        peer.words[2] = bpf_htonl(0xffff);
        peer.words[3] = ipv4;
    }
    return bpf_map_lookup_elem(&probers, &peer) != 0;
}

static __always_inline void note(struct sock *sock)
{
    __u32 namespace = BPF_CORE_READ(sock, __sk_common.skc_net.net, ns.inum);
    void *activity = bpf_map_lookup_elem(&namespaces, &namespace);
    if (!activity)
        return;
    __u16 port = BPF_CORE_READ(sock, __sk_common.skc_num);
    __u64 now = bpf_ktime_get_ns();
    __u64 *last = bpf_map_lookup_elem(activity, &port);
    if (!last)
        bpf_map_update_elem(activity, &port, &now, BPF_ANY);
    /* The connection may be a probe. If it is none, its packets tell (probes.h). */
    else if (*last != ZP_PASSIVE && !is_from_node(sock))
        *last = now;
}

/* The arguments of inet_csk_accept changed in Linux 6.10; what it returns has always been the accepted socket. */
SEC("kretprobe/inet_csk_accept")
int zeropod_accepted(struct pt_regs *registers)
{
    struct sock *sock = (struct sock *)PT_REGS_RC(registers);
    if (sock)
        note(sock);
    return 0;
}

/* TP_PROTO(const struct sock *sk, const int oldstate, const int newstate), since Linux 4.16. */
SEC("raw_tracepoint/inet_sock_set_state")
int zeropod_established(struct bpf_raw_tracepoint_args *arguments)
{
    if (arguments->args[1] != BPF_TCP_SYN_RECV || arguments->args[2] != BPF_TCP_ESTABLISHED)
        return 0;
    struct sock *sock = (struct sock *)arguments->args[0];
    if (BPF_CORE_READ(sock, sk_protocol) == IPPROTO_TCP)
        note(sock);
    return 0;
}

char LICENSE[] SEC("license") = "GPL";
