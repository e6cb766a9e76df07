#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdalign.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

// From <linux/mount.h>, which cannot be included beside <sys/mount.h> on glibc 2.36.
enum {
    fsconfig_set_string = 1,
    fsconfig_cmd_create = 6,
    fsopen_cloexec = 1,
    fsmount_cloexec = 1,
    mount_attr_rdonly = 1,
    open_tree_clone = 1,
    move_mount_f_empty_path = 4,
};

struct mount_attributes {
    uint64_t set, clear, propagation, user_namespace;
};

enum { most_paths = 64 };

struct failure {
    volatile int error;
    const char *volatile step;
};

static int clone_tree(const char *path)
{
    return (int)syscall(SYS_open_tree, AT_FDCWD, path, open_tree_clone | O_CLOEXEC);
}

static int attach(int tree, const char *path)
{
    return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, move_mount_f_empty_path);
}

// What covers a path of /proc is not of procfs itself. It is gone if an earlier attempt failed between here and its end.
static int is_cover(int tree)
{
    struct statfs status;
    int result = fstatfs(tree, &status);
    if (result == 0 && status.f_type == PROC_SUPER_MAGIC) {
        // No call here gives this number.
        errno = ESTALE;
        return -1;
    }
    return result;
}

// Runs in the new pid namespace: a procfs shows the pid namespace of the process that calls fsopen. CRIU makes its init
// there meanwhile, which looks at a /proc of its own only.
//
// The procfs is mounted from the mount namespace of the caller. In one that belongs to a user namespace of a container the
// kernel refuses it as long as the former /proc has masked parts (fs/namespace.c, mount_too_revealing).
static void renew(const struct zp_procfs *wanted, struct failure *failure)
{
    int covers[most_paths];
    enum { mounts = 0 };
    dup2(wanted->mount_namespace, mounts);

#define attempt(call, expression)                                                                                      \
    if ((expression) < 0) {                                                                                            \
        failure->step = call;                                                                                          \
        failure->error = errno;                                                                                        \
        _exit(1);                                                                                                      \
    }
    // Read-only paths below /proc/sys/net are looked up there.
    attempt("setns(network namespace)", setns(wanted->network_namespace, CLONE_NEWNET));
    // They are copies, and a connection ends only with its last one.
    syscall(SYS_close_range, mounts + 1, ~0U, 0);
    int context = (int)syscall(SYS_fsopen, "proc", fsopen_cloexec);
    attempt("fsopen(proc)", context);
    for (size_t i = 0; i + 1 < wanted->option_count; i += 2)
        attempt("fsconfig(option of proc)",
                syscall(SYS_fsconfig, context, fsconfig_set_string, wanted->options[i], wanted->options[i + 1], 0));
    attempt("fsconfig(proc)", syscall(SYS_fsconfig, context, fsconfig_cmd_create, NULL, NULL, 0));
    int procfs = (int)syscall(SYS_fsmount, context, fsmount_cloexec, wanted->attributes);
    attempt("fsmount(proc)", procfs);
    attempt("setns(mount namespace)", setns(mounts, CLONE_NEWNS));

    // Nothing that looks at /proc runs in this mount namespace yet, so the old procfs may go before the new one comes. A
    // path that was masked or read-only and cannot be any more would lay the node open, so that is an error each time.
    for (size_t i = 0; i < wanted->masked_count; i++) {
        covers[i] = clone_tree(wanted->masked[i]);
        attempt("open_tree(masked path)", covers[i]);
        attempt("find what covers a masked path", is_cover(covers[i]));
    }
    attempt("umount(/proc)", umount2("/proc", MNT_DETACH));
    attempt("move_mount(/proc)", attach(procfs, "/proc"));
    for (size_t i = 0; i < wanted->read_only_count; i++) {
        int tree = clone_tree(wanted->read_only[i]);
        attempt("open_tree(read-only path)", tree);
        struct mount_attributes attributes = {.set = mount_attr_rdonly};
        attempt("mount_setattr(read-only path)",
                syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes));
        attempt("move_mount(read-only path)", attach(tree, wanted->read_only[i]));
    }
    for (size_t i = 0; i < wanted->masked_count; i++)
        attempt("move_mount(masked path)", attach(covers[i], wanted->masked[i]));
#undef attempt
    _exit(0);
}

struct job {
    const struct zp_procfs *wanted;
    struct failure *failure;
};

static int run(void *argument)
{
    struct job *job = argument;
    renew(job->wanted, job->failure);
    return 1;
}

int zp_renew_procfs(const struct zp_procfs *wanted, const char **step)
{
    if (wanted->masked_count > most_paths) {
        *step = "masked paths";
        return -E2BIG;
    }
    // Only children of the caller are moved into the pid namespace.
    if (setns(wanted->pid_namespace, CLONE_NEWPID) < 0) {
        *step = "setns(pid namespace)";
        return -errno;
    }
    struct failure failure = {0, NULL};
    struct job job = {wanted, &failure};
    // As vfork, but without SIGCHLD at its end: whoever waits for any child must not take this one, whose pid has to be
    // free when CRIU goes on.
    alignas(16) char stack[16 << 10];
    pid_t child = clone(run, stack + sizeof stack, CLONE_VM | CLONE_VFORK, &job);
    if (child < 0) {
        *step = "clone";
        return -errno;
    }
    while (waitpid(child, NULL, __WCLONE) < 0 && errno == EINTR)
        ;
    *step = failure.step;
    return failure.error ? -failure.error : 0;
}
