/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the BPF programs and user space have in common: the shapes of the maps. The maps of a pod are pinned in its
 * directory below /sys/fs/bpf/zeropod/pods, under the names they have in redirector.bpf.c; those of the tracker below
 * /sys/fs/bpf/zeropod/tracker. Ports are numbers in host order everywhere.
 */
#ifndef ZEROPOD_H
#define ZEROPOD_H

#include <linux/types.h>

enum {
    /* Ports of one pod. A hash map takes 16 bytes of kernel memory for each before the first one is in use. */
    ZP_MAX_PORTS = 256,
    /* Activators of one pod: one for each container that may sleep. */
    ZP_MAX_ACTIVATORS = 64,
    /* UDP ports of one pod. */
    ZP_MAX_DATAGRAM_PORTS = 64,
    /* Addresses of the node. With more (kube-proxy's IPVS mode has one a service) the first ones count. */
    ZP_MAX_PROBERS = 256,
    /* Ranges of addresses of peers that a pod ignores. */
    ZP_MAX_IGNORED = 256,
    /* Ports at which they are refused: all that a pod's containers listen on. */
    ZP_MAX_REFUSING = 1024,
    /* Connections from the node that are followed from their SYN on; older ones count as traffic. */
    ZP_MAX_FLOWS = 256,
    /* Different requests of probes that are remembered, each with its answer. */
    ZP_MAX_REQUESTS = 8,
    /* How many bytes of each are kept, and in how many of them the kubelet's name is looked for. A kubelet's request
     * has 150 to 300. */
    ZP_REQUEST_SIZE = 2048,
    ZP_REQUEST_SCANNED = 1024,
    /* How many bytes of each answer are kept: a multiple of ZP_ANSWER_PIECE, in which it is copied. */
    ZP_ANSWER_SIZE = 2048,
    ZP_ANSWER_PIECE = 64,
    /* Pods of one node. The kubelet's default limit is 110, large nodes go to 500. */
    ZP_MAX_PODS = 4096,
};

/*
 * Value of `ports`: what becomes of new connections to a port.
 *
 * A slot of `activators` belongs to one container; its reception has the same number, plus ZP_MAX_ACTIVATORS.
 */
struct zp_port {
    __u32 activator;  /* slot in `activators` */
    __u32 redirected; /* 0: the application's own listener takes them; 1: the activator does */
    __u32 received;   /* 1: the reception takes those that may be probes, or all of a passive port */
    __u32 passive;    /* 1: traffic here neither wakes nor keeps awake */
    __u32 speaker;    /* zp_speaker, as connections from the node have shown */
    __u32 unused;
    __u64 last_tls;   /* CLOCK_MONOTONIC nanoseconds: a connection from the node began with TLS; 0: none has */
};

/* Who speaks first on the connections of a port. */
enum zp_speaker {
    ZP_NOBODY_YET,
    ZP_CLIENT,
    ZP_APPLICATION,
};

/* Key of `activity` for all ports on which nobody listens: the pod's kernel has refused a connection. */
static const __u16 ZP_REFUSED_PORTS = 0;

/* Value of `activity` for a passive port: no time that will ever come. */
static const __u64 ZP_PASSIVE = ~0ULL;

/* An IPv6 address in network order; IPv4 is mapped (::ffff:a.b.c.d). Key of `probers`. */
struct zp_address {
    __u32 words[4];
};

/* Key of `ignored`: the addresses that begin with as many bits. */
struct zp_range {
    __u32 length;
    struct zp_address address;
};

/* Key of `refusing`. */
struct zp_service {
    __u16 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
    __u16 port;     /* host order */
};

/* Key of `flows`; ports in network order. */
struct zp_flow {
    struct zp_address remote;
    struct zp_address local;
    __u16 remote_port;
    __u16 local_port;
};

enum zp_flow_kind {
    ZP_CALLED,    /* the node has sent SYN */
    ZP_UNDECIDED, /* the pod has answered it */
    ZP_HTTP2,     /* the preface of HTTP/2, and no request yet */
    ZP_PROBE,
};

/* Value of `flows`. A connection that is not in there is traffic. Sequence numbers in host order. */
struct zp_flow_state {
    __u32 kind;     /* zp_flow_kind */
    __u32 segments; /* of ZP_HTTP2: how many have brought no request */
    __u32 request;  /* of ZP_PROBE: index in `requests` */
    __u32 begin;    /* where what the pod sends begins: one more than its SYN */
    __u32 next;     /* what the pod sends next */
    __u32 answer;   /* of ZP_PROBE: where the answer begins */
};

/* Value of `requests`. Written without a lock: who reads it must be ready for a mixture of two. */
struct zp_request {
    __u64 hash; /* of the first segment, or of its end for HTTP/2, with who asks where; 0: free */
    __u64 last; /* CLOCK_MONOTONIC nanoseconds, when it was seen last */
    struct zp_address remote; /* who asks */
    __u16 port; /* host order */
    __u16 length;
    __u32 whole; /* the length it had, of which only the first ZP_REQUEST_SIZE bytes are kept */
    __u32 answer;   /* the sequence number where the answer begins; tells as well on which connection */
    __u32 answered; /* the length of the answer so far, of which only the first ZP_ANSWER_SIZE bytes are kept */
    __u32 is_over;  /* 1: the application has ended the connection behind it */
    __u8 bytes[ZP_REQUEST_SIZE];
    __u8 reply[ZP_ANSWER_SIZE + ZP_ANSWER_PIECE];
};

/* Value of `pod`, of which there is one. */
struct zp_pod {
    __u32 network_namespace; /* inode number: the kernel's are no longer than this (struct ns_common) */
    __u32 ignores;           /* 1: some peers, those in `ignored` */
};

/* What a task has that CRIU would lose, and that /proc does not show. */
enum zp_setting {
    ZP_LANDLOCK = 1,
    ZP_THREAD_KEYRING = 2,
    ZP_PROCESS_KEYRING = 4,
    ZP_THREAD_SESSION_KEYRING = 8, /* its session keyring is not that of the thread that leads its process */
    ZP_THREAD_NAMESPACE = 16,      /* one of its namespaces is not that of the thread that leads its process */
    ZP_CHILDREN_NAMESPACE = 32,    /* the next child is to be in another pid or time namespace */
    ZP_THREAD_DIRECTORY = 64,      /* working directory, root and umask are not those of its process */
    ZP_THREAD_DESCRIPTORS = 128,   /* its descriptors are not those of its process */
    ZP_THREAD_CGROUPS = 256,       /* its control groups are not those of its process */
    ZP_LOCKS_MEMORY = 512,         /* mlockall(MCL_FUTURE) */
    ZP_SEMAPHORES = 1024,          /* the kernel changes semaphores when it ends (SEM_UNDO) */
    ZP_SECCOMP_LISTENER = 2048,    /* another process answers for a filter of its system calls */
};

/* What is read of `zeropod_tasks`, for each task that has something. */
struct zp_task {
    __s32 process; /* in the reader's pid namespace */
    __u32 settings; /* zp_setting */
};

enum {
    /* How much of the security blob of credentials is searched. Of the security modules before landlock, SELinux's has
     * the largest part, 48 bytes. */
    ZP_BLOB_WORDS = 32,
};

/* Keys of `counters`. */
enum zp_counter {
    ZP_STEERED,      /* packets handed to an activator: each SYN of a connection, cookie ACKs */
    ZP_NO_ACTIVATOR, /* the port was redirected, but its slot had no socket */
    ZP_REFUSED,      /* the kernel would not take the activator's socket */
    ZP_RECEIVED,     /* segments handed to a reception */
    ZP_TURNED_AWAY,  /* packets of ignored peers, which would have woken a container */
    ZP_COUNTERS,
};

#endif
