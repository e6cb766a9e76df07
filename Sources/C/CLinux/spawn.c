#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Between vfork and exec the child borrows the parent's memory: only system calls are made here, and what went wrong
// is left in `failure`, where the parent finds it as soon as it runs again.
struct failure {
    volatile int error;
    const char *volatile step;
};

enum { first_spare_descriptor = 512 };

// What RLIMIT_NOFILE was before it was raised.
static struct rlimit original_descriptor_limit;
static int descriptor_limit_raised;

unsigned long zp_raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            original_descriptor_limit = limit;
            descriptor_limit_raised = 1;
            return raised.rlim_cur;
        }
    }
    return limit.rlim_cur;
}

static int arrange_descriptors(const struct zp_spawn *spawn, struct failure *failure)
{
    int highest = -1;
    // First out of each other's way, then into place: a mapping may name a number that another one still needs.
    int spare[64];
    if (spawn->descriptor_count > sizeof spare / sizeof spare[0]) {
        errno = E2BIG;
        failure->step = "descriptors";
        return -1;
    }
    for (size_t i = 0; i < spawn->descriptor_count; i++) {
        spare[i] = fcntl(spawn->descriptors[i].from, F_DUPFD_CLOEXEC, first_spare_descriptor);
        if (spare[i] < 0) {
            failure->step = "fcntl(F_DUPFD)";
            return -1;
        }
    }
    for (size_t i = 0; i < spawn->descriptor_count; i++) {
        int to = spawn->descriptors[i].to;
        if (dup2(spare[i], to) < 0) {
            failure->step = "dup2";
            return -1;
        }
        if (to > highest)
            highest = to;
    }
    syscall(SYS_close_range, highest + 1, ~0U, 0);
    return 0;
}

static void make_oom_score_neutral(void)
{
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    // Without CAP_SYS_RESOURCE it cannot be lowered below what an ancestor with that capability has set.
    if (file >= 0 && write(file, "0", 1) > 0)
        close(file);
}

static void run_child(const struct zp_spawn *spawn, struct failure *failure)
{
    if (spawn->neutral_oom_score)
        make_oom_score_neutral();
    for (size_t i = 0; i < spawn->cgroup_count; i++) {
        if (write(spawn->cgroups[i], "0", 1) < 0) {
            failure->step = "write cgroup.procs";
            goto failed;
        }
    }
    for (size_t i = 0; i < spawn->namespace_count; i++) {
        if (setns(spawn->namespaces[i], 0) < 0) {
            failure->step = "setns";
            goto failed;
        }
    }
    if (spawn->session_keyring && zp_join_session_keyring(spawn->session_keyring) < 0) {
        failure->step = "keyctl(session keyring)";
        goto failed;
    }
    if (spawn->new_session && setsid() < 0) {
        failure->step = "setsid";
        goto failed;
    }
    if (spawn->root && (chroot(spawn->root) < 0 || chdir("/") < 0)) {
        failure->step = "chroot";
        goto failed;
    }
    if (spawn->directory && chdir(spawn->directory) < 0) {
        failure->step = "chdir";
        goto failed;
    }
    if (arrange_descriptors(spawn, failure) < 0)
        goto failed;

    if (descriptor_limit_raised && setrlimit(RLIMIT_NOFILE, &original_descriptor_limit) < 0) {
        failure->step = "setrlimit";
        goto failed;
    }

    // The event loop blocks the signals it reads from a signalfd and ignores SIGPIPE; a new program expects neither.
    struct sigaction initial = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &initial, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    execve(spawn->path, spawn->arguments, spawn->environment);
    failure->step = "execve";
failed:
    failure->error = errno;
    _exit(127);
}

pid_t zp_spawn(const struct zp_spawn *spawn, const char **step)
{
    struct failure failure = {0, NULL};
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0)
        run_child(spawn, &failure);
    int vfork_error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        *step = "vfork";
        return -vfork_error;
    }
    if (failure.error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        *step = failure.step;
        return -failure.error;
    }
    return pid;
}
