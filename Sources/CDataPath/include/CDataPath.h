// The BPF programs as they lie in this executable, and the shapes of their maps.
#pragma once

#include <stddef.h>

#include "zeropod.h"

/// An ELF object for libbpf. The memory is constant and lives as long as the process.
struct zp_object {
    const void *bytes;
    size_t size;
};

struct zp_object zp_redirector_object(void);
struct zp_object zp_tracker_object(void);
