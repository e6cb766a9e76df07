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
    /* Pods of one node. The kubelet's default limit is 110, large nodes go to 500. */
    ZP_MAX_PODS = 4096,
};

/* Value of `ports`: what becomes of new connections to a port. */
struct zp_port {
    __u32 activator;  /* slot in `activators` */
    __u32 redirected; /* 0: the application's own listener takes them; 1: the activator does */
};

/* Value of `pod`, of which there is one. */
struct zp_pod {
    __u64 network_namespace; /* inode number */
};

/* Keys of `counters`. */
enum zp_counter {
    ZP_STEERED,      /* segments handed to an activator: the SYN of a connection, sent again or not; cookie ACKs */
    ZP_NO_ACTIVATOR, /* the port was redirected, but its slot had no socket */
    ZP_REFUSED,      /* the kernel would not take the activator's socket */
    ZP_COUNTERS,
};

#endif
