#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// From <linux/mount.h>, which cannot be included beside <sys/mount.h> on glibc 2.36.
enum { mount_attr_rdonly = 1, open_tree_clone = 1 };

struct mount_attributes {
    uint64_t set, clear, propagation, user_namespace;
};

int zp_open_read_only(const char *path)
{
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, open_tree_clone | O_CLOEXEC);
    if (tree < 0)
        return -errno;
    struct mount_attributes attributes = {.set = mount_attr_rdonly};
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0) {
        int error = errno;
        close(tree);
        return -error;
    }
    return tree;
}
