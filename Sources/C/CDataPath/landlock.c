#include "CDataPath.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool zp_landlock_is_there(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

int zp_landlock_restrict(void)
{
    // A right that is not made use of; which one it is does not matter.
    struct landlock_ruleset_attr rights = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK};
    // The later fields came with later kernels.
    int rules = syscall(SYS_landlock_create_ruleset, &rights, sizeof(uint64_t), 0);
    if (rules < 0)
        return -errno;
    int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, rules, 0) ? -errno : 0;
    close(rules);
    return result;
}
