#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// glibc 2.36 has wrappers for these; older ones do not, and the numbers are the same on every architecture.
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static int result(long value)
{
    return value < 0 ? -errno : (int)value;
}

int zp_userfaultfd(int flags)
{
    return result(syscall(SYS_userfaultfd, flags));
}

int zp_userfaultfd_unregister(int descriptor, uint64_t start, uint64_t size)
{
    struct uffdio_range range = { .start = start, .len = size };
    return result(ioctl(descriptor, UFFDIO_UNREGISTER, &range));
}

int zp_pidfd_open(pid_t pid)
{
    return result(syscall(SYS_pidfd_open, pid, 0));
}

int zp_pidfd_getfd(int pidfd, int descriptor)
{
    return result(syscall(SYS_pidfd_getfd, pidfd, descriptor, 0));
}

int zp_pidfd_send_signal(int pidfd, int signal)
{
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int zp_page_out(int pidfd, uintptr_t start, size_t length)
{
    struct iovec range = {(void *)start, length};
    return syscall(SYS_process_madvise, pidfd, &range, 1, MADV_PAGEOUT, 0) < 0 ? -errno : 0;
}

int zp_prctl(int option, unsigned long argument)
{
    return result(prctl(option, argument, 0, 0, 0));
}

int zp_prctl4(int option, unsigned long second, unsigned long third, unsigned long fourth)
{
    return result(prctl(option, second, third, fourth, 0));
}

int zp_ioctl(int descriptor, unsigned long request, void *argument)
{
    return result(ioctl(descriptor, request, argument));
}

int zp_fcntl(int descriptor, int command, int argument)
{
    return result(fcntl(descriptor, command, argument));
}

int zp_receive_descriptor(int socket)
{
    // runc sends the terminal's name as the payload (its console.md), at most a path.
    char name[4096], control[CMSG_SPACE(sizeof(int))];
    struct iovec payload = {name, sizeof name};
    struct msghdr message = {
        .msg_iov = &payload, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length;
    do
        length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return -EBADMSG;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

long zp_keyctl(int operation, long first, long second)
{
    long result = syscall(SYS_keyctl, operation, first, second);
    return result < 0 ? -errno : result;
}

long zp_join_session_keyring(const char *name)
{
    return zp_keyctl(1 /* KEYCTL_JOIN_SESSION_KEYRING */, (long)name, 0);
}

static int or_errno(long result) { return result < 0 ? -errno : (int)result; }

int zp_ioprio_get(pid_t thread) { return or_errno(syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, thread)); }

int zp_ioprio_set(pid_t thread, int priority)
{
    return or_errno(syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, thread, priority));
}

int zp_sched_getaffinity(pid_t thread, unsigned char *mask, size_t size)
{
    return or_errno(syscall(SYS_sched_getaffinity, thread, size, mask));
}

int zp_sched_setaffinity(pid_t thread, const unsigned char *mask, size_t size)
{
    return or_errno(syscall(SYS_sched_setaffinity, thread, size, mask));
}

int zp_ofd_setlk(int descriptor, struct flock *lock) { return or_errno(fcntl(descriptor, F_OFD_SETLK, lock)); }
