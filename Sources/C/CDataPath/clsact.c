#include "CDataPath.h"

#include <bpf/libbpf.h>

// In C because libbpf wants the padding of its option structures to be zero, which Swift does not promise.

enum {
    // Ours among the filters of others; "zp" in ASCII. Late in the chain: whoever is there comes first.
    priority = 0x7a70,
    handle = 1,
};

static enum bpf_tc_attach_point point(enum zp_direction direction)
{
    return direction == ZP_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

int zp_clsact_create(int interface)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
    return bpf_tc_hook_create(&hook);
}

int zp_clsact_attach(int interface, enum zp_direction direction, int program)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = point(direction));
    LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program, .handle = handle, .priority = priority,
                .flags = BPF_TC_F_REPLACE);
    return bpf_tc_attach(&hook, &filter);
}

int zp_clsact_detach(int interface, enum zp_direction direction)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = point(direction));
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = priority);
    return bpf_tc_detach(&hook, &filter);
}
