#include "CLinux.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

#if !__has_embed("../../../build/standin/stand-in")
#error "the stand-in is not built yet: run `make -C standin` (or `make`) first"
#endif

static const unsigned char program[] = {
#embed "../../../build/standin/stand-in"
};

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

int zp_stand_in(void)
{
    // From Linux 6.3 on a node may ask for the flag (vm.memfd_noexec); kernels before do not know it.
    int file = memfd_create("stand-in", MFD_CLOEXEC | MFD_EXEC);
    if (file < 0 && errno == EINVAL)
        file = memfd_create("stand-in", MFD_CLOEXEC);
    if (file < 0)
        return -errno;
    ssize_t written = write(file, program, sizeof program);
    if (written != (ssize_t)sizeof program) {
        int error = written < 0 ? errno : ENOSPC;
        close(file);
        return -error;
    }
    return file;
}
