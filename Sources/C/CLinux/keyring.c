#include "CLinux.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// KEY_OTH_SEARCH of the kernel's include/linux/key.h.
enum { search_by_others = 0x8 };

struct search {
    int users;
    const char *name;
    long into;
    volatile long found; // or a negative errno
};

// Keyrings have their names in a user namespace, and only who is in it finds them by these.
static long find(const struct search *search)
{
    if (setns(search->users, CLONE_NEWUSER) < 0)
        return -errno;
    long keyring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, search->name);
    // "keyring;0;0;3f1b0008;_ses.ID"
    char description[512], *permissions = description;
    long length = keyring < 0 ? keyring : syscall(SYS_keyctl, KEYCTL_DESCRIBE, keyring, description, sizeof description - 1);
    if (length < 0)
        return -errno;
    description[length < (long)sizeof description ? length : (long)sizeof description - 1] = 0;
    for (int field = 0; field < 3 && permissions; field++)
        if ((permissions = strchr(permissions, ';')))
            permissions++;
    // Where there was none the kernel has made one, which others may not search.
    if (!permissions || !(strtoul(permissions, NULL, 16) & search_by_others))
        return 0;
    return syscall(SYS_keyctl, KEYCTL_LINK, keyring, search->into) < 0 ? -errno : keyring;
}

static int run(void *argument)
{
    struct search *search = argument;
    search->found = find(search);
    return 0;
}

long zp_hold_keyring(int user_namespace, const char *name, long into)
{
    struct search search = {user_namespace, name, into, -ECHILD};
    // A process, as threads share their user namespace. As vfork, but without SIGCHLD at its end: whoever waits for any child
    // must not take this one.
    alignas(16) char stack[16 << 10];
    pid_t child = clone(run, stack + sizeof stack, CLONE_VM | CLONE_VFORK, &search);
    if (child < 0)
        return -errno;
    while (waitpid(child, NULL, __WCLONE) < 0 && errno == EINTR)
        ;
    return search.found;
}
