#include "CDataPath.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#if !__has_embed("../../../build/bpf/redirector.bpf.o") || !__has_embed("../../../build/bpf/tracker.bpf.o") \
    || !__has_embed("../../../build/bpf/tasks.bpf.o")
#error "the BPF programs are not built yet: run `make -C bpf` (or `make`) first"
#endif

// libbpf reads the ELF headers in place.
_Alignas(16) static const unsigned char redirector[] = {
#embed "../../../build/bpf/redirector.bpf.o"
};

_Alignas(16) static const unsigned char tracker[] = {
#embed "../../../build/bpf/tracker.bpf.o"
};

_Alignas(16) static const unsigned char tasks[] = {
#embed "../../../build/bpf/tasks.bpf.o"
};

struct zp_object zp_redirector_object(void)
{
    return (struct zp_object){redirector, sizeof redirector};
}

struct zp_object zp_tracker_object(void)
{
    return (struct zp_object){tracker, sizeof tracker};
}

struct zp_object zp_tasks_object(void)
{
    return (struct zp_object){tasks, sizeof tasks};
}
