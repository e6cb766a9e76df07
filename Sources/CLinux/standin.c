#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// The child runs beside the parent in the parent's memory, on a stack of its own but with the parent's thread-local
// storage. So it calls nothing of the C library, which would write the parent's errno.
static long call(long number, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = 0;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "no system calls for this processor"
#endif
}

enum { most_descriptors = 64, first_spare_descriptor = 512, stack_size = 16384, kernel_signal_set = 8 };

// One mapping: this, copies of what the parent was asked for, and at its end the stack.
struct stand_in {
    size_t size;
    int awaited;
    struct zp_spawn spawn;
};

static long arrange_descriptors(const struct zp_spawn *spawn, int *base)
{
    long spare[most_descriptors];
    int to[most_descriptors];
    size_t count = 0;
    *base = 0;
    for (size_t i = 0; i < spawn->descriptor_count; i++) {
        to[count] = spawn->descriptors[i].to;
        if (to[count] >= *base)
            *base = to[count] + 1;
        spare[count++] = spawn->descriptors[i].from;
    }
    int next = *base;
    for (size_t i = 0; i < spawn->cgroup_count; i++, next++) {
        to[count] = next;
        spare[count++] = spawn->cgroups[i];
    }
    for (size_t i = 0; i < spawn->namespace_count; i++, next++) {
        to[count] = next;
        spare[count++] = spawn->namespaces[i];
    }
    for (size_t i = 0; i < count; i++) {
        spare[i] = call(SYS_fcntl, spare[i], F_DUPFD_CLOEXEC, first_spare_descriptor, 0, 0);
        if (spare[i] < 0)
            return spare[i];
    }
    for (size_t i = 0; i < count; i++) {
        long result = call(SYS_dup3, spare[i], to[i], 0, 0, 0);
        if (result < 0)
            return result;
    }
    return call(SYS_close_range, next, ~0U, 0, 0, 0);
}

static long take_place(const struct zp_spawn *spawn)
{
    int base;
    long result = arrange_descriptors(spawn, &base);
    for (size_t i = 0; i < spawn->cgroup_count && result >= 0; i++)
        result = call(SYS_write, base + (int)i, (long)"0", 1, 0, 0);
    for (size_t i = 0; i < spawn->namespace_count && result >= 0; i++)
        result = call(SYS_setns, base + (int)(spawn->cgroup_count + i), 0, 0, 0, 0);
    if (result >= 0 && spawn->directory)
        result = call(SYS_chdir, (long)spawn->directory, 0, 0, 0, 0);
    if (result >= 0)
        result = call(SYS_close_range, base, ~0U, 0, 0, 0);
    return result;
}

// Whether a message came. A closed socket is readable too, and then the parent has gone or wants us no more.
static int await_message(int socket)
{
    struct pollfd poll = {.fd = socket, .events = POLLIN};
    while (call(SYS_ppoll, (long)&poll, 1, 0, 0, 0) < 0)
        ;
    // recvfrom has six arguments, of which the last is not read when the fifth is NULL.
    char byte;
    return call(SYS_recvfrom, socket, (long)&byte, 1, MSG_PEEK | MSG_DONTWAIT, 0) > 0;
}

static int run_child(void *argument)
{
    const struct stand_in *stand_in = argument;
    const struct zp_spawn *spawn = &stand_in->spawn;
    if (take_place(spawn) >= 0 && (stand_in->awaited < 0 || await_message(stand_in->awaited))) {
        // As zp_spawn leaves it. A struct sigaction of the kernel's is not larger than the C library's.
        struct sigaction initial;
        for (size_t i = 0; i < sizeof initial; i++)
            ((volatile char *)&initial)[i] = 0;
        uint64_t none = 0;
        call(SYS_rt_sigaction, SIGPIPE, (long)&initial, 0, kernel_signal_set, 0);
        call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, kernel_signal_set, 0);
        call(SYS_execve, (long)spawn->path, (long)spawn->arguments, (long)spawn->environment, 0, 0);
    }
    call(SYS_exit_group, 127, 0, 0, 0, 0);
    return 127;
}

static size_t length(char *const *strings, size_t *bytes)
{
    size_t count = 0;
    for (; strings[count]; count++)
        *bytes += strlen(strings[count]) + 1;
    return count;
}

static void *copy(char **end, const void *source, size_t size)
{
    void *place = memcpy(*end, source, size);
    *end += (size + 15) & ~15UL;
    return place;
}

static char *const *copy_strings(char **end, char *const *strings, size_t count)
{
    char **place = copy(end, strings, (count + 1) * sizeof *strings);
    for (size_t i = 0; i < count; i++)
        place[i] = copy(end, strings[i], strlen(strings[i]) + 1);
    return place;
}

pid_t zp_stand_in(const struct zp_spawn *spawn, int awaited, void **memory, const char **step)
{
    *step = "descriptors";
    if (spawn->descriptor_count + spawn->cgroup_count + spawn->namespace_count > most_descriptors)
        return -E2BIG;
    size_t bytes = sizeof(struct stand_in) + strlen(spawn->path) + 1;
    size_t arguments = length(spawn->arguments, &bytes), environment = length(spawn->environment, &bytes);
    if (spawn->directory)
        bytes += strlen(spawn->directory) + 1;
    // Each copy is rounded up to 16 bytes.
    bytes += (arguments + environment + 10) * (sizeof(char *) + 16) + most_descriptors * sizeof *spawn->descriptors;
    size_t size = ((bytes + 4095) & ~4095UL) + stack_size;
    *step = "mmap";
    char *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED)
        return -errno;

    char *end = place;
    struct stand_in *stand_in = copy(&end, &(struct stand_in){size, awaited, *spawn}, sizeof *stand_in);
    struct zp_spawn *own = &stand_in->spawn;
    own->path = copy(&end, spawn->path, strlen(spawn->path) + 1);
    own->arguments = copy_strings(&end, spawn->arguments, arguments);
    own->environment = copy_strings(&end, spawn->environment, environment);
    if (spawn->directory)
        own->directory = copy(&end, spawn->directory, strlen(spawn->directory) + 1);
    own->descriptors = copy(&end, spawn->descriptors, spawn->descriptor_count * sizeof *spawn->descriptors);
    own->cgroups = copy(&end, spawn->cgroups, spawn->cgroup_count * sizeof *spawn->cgroups);
    own->namespaces = copy(&end, spawn->namespaces, spawn->namespace_count * sizeof *spawn->namespaces);

    *step = "clone";
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone(run_child, place + size, CLONE_VM | SIGCHLD, stand_in);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        munmap(place, size);
        return -error;
    }
    *memory = place;
    return pid;
}

void zp_stand_in_ended(void *memory)
{
    munmap(memory, ((struct stand_in *)memory)->size);
}
