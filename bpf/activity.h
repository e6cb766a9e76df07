/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Port -> CLOCK_MONOTONIC nanoseconds of the last sign of life (clock.h: right to a tick, later with each). One map a pod,
 * written by the tc programs of the pod and by the tracker of the node; so both declare it from here, and an inner map
 * must match its template.
 */
#ifndef ZEROPOD_ACTIVITY_H
#define ZEROPOD_ACTIVITY_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "zeropod.h"

struct activity_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, ZP_MAX_PORTS);
    /* Taken back by the loader on kernels before 6.1. */
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u16);
    __type(value, __u64);
};

#endif
