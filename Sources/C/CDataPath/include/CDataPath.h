// The BPF programs as they lie in this executable, the shapes of their maps, and the calls of libbpf that Swift cannot
// make itself.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "zeropod.h"

/// An ELF object for libbpf. The memory is constant and lives as long as the process.
struct zp_object {
    const void *bytes;
    size_t size;
};

struct zp_object zp_redirector_object(void);
struct zp_object zp_tracker_object(void);
struct zp_object zp_tasks_object(void);

/// Has libbpf give what it says, but for what is for its own developers, to a function: lines, each with its end.
void zp_libbpf_log(void (*take)(const char *text));

enum zp_direction { ZP_INGRESS, ZP_EGRESS };

/// Filters at a clsact qdisc, of an interface in the network namespace of the calling thread. Negative errno on failure;
/// creating what is there gives -EEXIST, and detaching what is not there -ENOENT or -EINVAL.
int zp_clsact_create(int interface);
int zp_clsact_attach(int interface, enum zp_direction direction, int program);
int zp_clsact_detach(int interface, enum zp_direction direction);

/// The same as a link of its own (Linux 6.6): its descriptor, or a negative errno.
int zp_tcx_attach(int interface, enum zp_direction direction, int program);

/// Whether processes of this kernel can restrict themselves by landlock.
bool zp_landlock_is_there(void);

/// Restricts the calling thread, and what it starts, by landlock. Negative errno on failure.
int zp_landlock_restrict(void);
