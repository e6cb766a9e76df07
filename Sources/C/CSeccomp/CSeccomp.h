// libseccomp. Only DataPath imports it.
#pragma once

#include <seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>

/// SCMP_ACT_ERRNO is a macro with a parameter, which Swift does not see.
static inline uint32_t zp_seccomp_fail_with(uint16_t code) { return SCMP_ACT_ERRNO(code); }
