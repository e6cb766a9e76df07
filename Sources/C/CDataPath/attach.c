#include "CDataPath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

// In C because libbpf wants the padding of its option structures to be zero, which Swift does not promise.

enum {
    // As early in the chain as can be: a program of somebody else's that lets a packet pass (TC_ACT_OK) ends it.
    early = 1,
    // Where filters of another kind have that priority.
    late = 0x7a70,
    // Ours among the filters of others; "zp" in ASCII.
    handle = 0x7a70,
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

static int attach(int interface, enum zp_direction direction, int program, uint32_t priority)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = point(direction));
    LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program, .handle = handle, .priority = priority,
                .flags = BPF_TC_F_REPLACE);
    return bpf_tc_attach(&hook, &filter);
}

int zp_clsact_attach(int interface, enum zp_direction direction, int program)
{
    int result = attach(interface, direction, program, early);
    return result == -EINVAL ? attach(interface, direction, program, late) : result;
}

static int detach(int interface, enum zp_direction direction, uint32_t priority)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = point(direction));
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = priority);
    return bpf_tc_detach(&hook, &filter);
}

int zp_clsact_detach(int interface, enum zp_direction direction)
{
    int result = detach(interface, direction, early);
    return result ? detach(interface, direction, late) : 0;
}

int zp_tcx_attach(int interface, enum zp_direction direction, int program)
{
    // From <linux/bpf.h>, which has them since 6.6.
    enum { ingress = 46, egress = 47, before = 1 << 3 };
    // Before all others, since no other program is named.
    LIBBPF_OPTS(bpf_link_create_opts, first, .flags = before);
    return bpf_link_create(program, interface, direction == ZP_INGRESS ? ingress : egress, &first);
}
