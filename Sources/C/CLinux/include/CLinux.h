// The few system calls that Swift cannot reach: those that need fork, have variable arguments, or that the oldest
// supported C library does not wrap. Every function returns a negative errno on failure.
#pragma once

#include <fcntl.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/vfs.h>

struct zp_descriptor_mapping {
    int from;
    int to;
};

/// What a child is given between vfork and exec. Descriptors that no mapping names are closed.
struct zp_spawn {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;                             ///< working directory, or NULL
    const struct zp_descriptor_mapping *descriptors;
    size_t descriptor_count;
    const int *namespaces;                             ///< entered in this order with setns(fd, 0)
    size_t namespace_count;
    const int *cgroups;                                ///< cgroup.procs (or tasks) files, open for writing
    size_t cgroup_count;
    int new_session;
    const char *root;                                  ///< chroot(2), or NULL; path and directory are then below it
    int neutral_oom_score;                             ///< oom_score_adj 0, where that is allowed
    const char *session_keyring;                       ///< joined by this name (keyctl(2)), or NULL
};

/// Starts a program. Returns its pid; on failure a negative errno, and `*step` names the call that failed.
pid_t zp_spawn(const struct zp_spawn *spawn, const char **step);

/// The program of standin/ as a file in memory, to be executed.
int zp_stand_in(void);

/// Raises the soft limit of open descriptors to the hard limit, and returns it. Children of zp_spawn get the old one.
unsigned long zp_raise_descriptor_limit(void);

int zp_userfaultfd(int flags);
/// UFFDIO_UNREGISTER.
int zp_userfaultfd_unregister(int descriptor, uint64_t start, uint64_t size);
int zp_pidfd_open(pid_t pid);
int zp_pidfd_getfd(int pidfd, int descriptor);
int zp_pidfd_send_signal(int pidfd, int signal);
/// Of one thread (gettid(2)); 0 is the calling one. ioprio_get(2).
int zp_ioprio_get(pid_t thread);
int zp_ioprio_set(pid_t thread, int priority);
/// Masks of any size. The number of bytes that the kernel has written.
int zp_sched_getaffinity(pid_t thread, unsigned char *mask, size_t size);
int zp_sched_setaffinity(pid_t thread, const unsigned char *mask, size_t size);
/// Attaches the segments of System V shared memory of the calling thread's IPC namespace that would end with the
/// processes which have them: those that are removed already, or all that are in use. Returns how many.
int zp_attach_segments(void **addresses, size_t capacity, int all);
int zp_detach_segment(void *address);
/// Finds the keyring of this name in a user namespace, whoever may search it, and links it into the keyring `into`. Gives its
/// number, 0 if there is none, or a negative errno.
long zp_hold_keyring(int user_namespace, const char *name, long into);
/// keyctl(2) with two arguments.
long zp_keyctl(int operation, long first, long second);
/// KEYCTL_JOIN_SESSION_KEYRING, for the calling thread: one of this name if there is any, else a new one.
long zp_join_session_keyring(const char *name);
/// process_madvise(2), MADV_PAGEOUT: a part of a process's memory goes to swap.
int zp_page_out(int pidfd, uintptr_t start, size_t length);
int zp_prctl(int option, unsigned long argument);
int zp_prctl4(int option, unsigned long second, unsigned long third, unsigned long fourth);
int zp_ioctl(int descriptor, unsigned long request, void *argument);
int zp_fcntl(int descriptor, int command, int argument);
/// fcntl(F_OFD_SETLK).
int zp_ofd_setlk(int descriptor, struct flock *lock);
/// Receives a descriptor over a unix socket, and gives it.
int zp_receive_descriptor(int socket);

struct zp_tcp_connection {
    uint64_t inode;           ///< 0: no process has accepted it yet
    uint64_t sent, received;  ///< bytes
    uint32_t since_sent, since_received; ///< milliseconds since data last went and came
    uint32_t unread, unacknowledged;     ///< bytes that the application, or the peer, has not taken yet
    uint16_t local_port, remote_port;
    uint8_t state;            ///< of include/net/tcp_states.h
    uint8_t is_ipv6;
    uint8_t local[16], remote[16]; ///< of which IPv4 uses four
};

/// The TCP connections of the calling thread's network namespace. Returns how many there are; -E2BIG if these are more
/// than `capacity`.
int zp_tcp_connections(struct zp_tcp_connection *connections, size_t capacity);

/// Lets packets with `mark` that leave a socket of the calling thread's network namespace arrive there, wherever they
/// are addressed to: a rule, and a local default route in `table`. What is there already stays.
int zp_keep_marked(int family, uint32_t mark, uint32_t table);
int zp_keep_marked_no_more(int family, uint32_t mark, uint32_t table);

/// A procfs in place of one that belongs to a pid namespace which is gone.
struct zp_procfs {
    int pid_namespace;
    int network_namespace;                             ///< whose settings /proc/sys/net shows
    int mount_namespace;                               ///< where it is mounted, at /proc
    char *const *options;                              ///< keys and values by turns: hidepid, 2, …
    size_t option_count;
    uint64_t attributes;                               ///< MOUNT_ATTR_*
    char *const *read_only;                            ///< bound from the new procfs onto itself, and made read-only
    size_t read_only_count;
    char *const *masked;                               ///< the mount that covered it before is moved over
    size_t masked_count;
};

/// Mounts it, and puts the mounts that lay on the old one back. The calling thread keeps the pid namespace for what it
/// starts: it must end after that.
int zp_renew_procfs(const struct zp_procfs *wanted, const char **step);

/// open_tree(2) and mount_setattr(2): a mount of its own for a file, which nobody can write through, whoever comes by the
/// descriptor or by a link to it such as /proc/PID/exe. Gives the descriptor, as of O_PATH, or a negative errno. Linux 5.12.
int zp_open_read_only(const char *path);

enum { ZP_KEY_IDENTIFIER_SIZE = 16 };

/// Has the file system encrypt what will be in an empty directory (fscrypt), with a random key that is in its memory alone.
int zp_encrypt_directory(int directory, const char **step);
/// By what name its file system knows the key of an encrypted directory.
int zp_encryption_key(int directory, uint8_t *identifier);
/// Takes a key out of the memory of the file system that a file is on. Where files are open still, all are written first.
int zp_forget_key(int file, const uint8_t *identifier);

/// Makes a user namespace with these maps (lines of uid_map(5)), and gives a descriptor of it.
int zp_user_namespace(const char *users, const char *groups, const char **step);
/// Shows what is at `source` once more at `target`, with the owners that `user_namespace` makes of them (Linux 5.12).
int zp_mount_idmapped(const char *source, const char *target, int user_namespace, int read_only, const char **step);
