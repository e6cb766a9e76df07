#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// From <linux/mount.h>, which cannot be included beside <sys/mount.h> on glibc 2.36.
enum {
    mount_attr_rdonly = 1,
    mount_attr_idmap = 0x00100000,
    open_tree_clone = 1,
    move_mount_f_empty_path = 4,
};

struct mount_attributes {
    uint64_t set, clear, propagation, user_namespace;
};

static int write_all(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return -errno;
    // The kernel takes a map with one write or not at all.
    ssize_t written = write(file, text, strlen(text));
    int error = errno;
    close(file);
    return written < 0 ? -error : 0;
}

int zp_user_namespace(const char *users, const char *groups, const char **step)
{
    // A namespace lives as long as a process or a descriptor holds it; this child does until we have the descriptor.
    // Not vfork: the child has to live while its maps are written.
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        for (;;)
            pause();
    if (child < 0) {
        *step = "clone(user namespace)";
        return -errno;
    }
    char path[64];
    *step = "write(uid_map)";
    snprintf(path, sizeof path, "/proc/%d/uid_map", child);
    int result = write_all(path, users);
    if (result == 0) {
        *step = "write(gid_map)";
        snprintf(path, sizeof path, "/proc/%d/gid_map", child);
        result = write_all(path, groups);
    }
    if (result == 0) {
        *step = "open(user namespace)";
        snprintf(path, sizeof path, "/proc/%d/ns/user", child);
        result = open(path, O_RDONLY | O_CLOEXEC);
        if (result < 0)
            result = -errno;
    }
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return result;
}

int zp_mount_idmapped(const char *source, const char *target, int user_namespace, int read_only, const char **step)
{
    *step = "open_tree";
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, open_tree_clone | O_CLOEXEC);
    if (tree < 0)
        return -errno;
    struct mount_attributes attributes = {
        .set = mount_attr_idmap | (read_only ? mount_attr_rdonly : 0), .user_namespace = (uint64_t)user_namespace};
    int result = 0;
    *step = "mount_setattr(owners)";
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0) {
        result = -errno;
    } else {
        *step = "move_mount";
        if (syscall(SYS_move_mount, tree, "", AT_FDCWD, target, move_mount_f_empty_path) < 0)
            result = -errno;
    }
    close(tree);
    return result;
}
