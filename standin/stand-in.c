// Stands in a container's cgroups and namespaces for a program that is not wanted yet, and becomes it when a byte comes.
// Started by the shim while a container sleeps, so that a wake need not wait for the move into the cgroups, which takes an
// RCU grace period (10 to 15 ms).
//
// It is a program of its own, one page long and without a C library, because it stands where the container's limits
// hold: it has next to no memory, and shares none with the shim, which the kernel would otherwise have to end along
// with it when the container's memory is short.
//
//   stand-in AWAITED FIRST CGROUPS NAMESPACES PROGRAM ARGUMENT...
//
// AWAITED is the number of the descriptor that the byte comes from and the program does not get, 0 for none: the
// program then starts at once. From descriptor FIRST on there are as many cgroup.procs files and then namespaces; all
// from FIRST on are closed.
#include <linux/perf_event.h>
#include <linux/prctl.h>
#include <stddef.h>
#include <asm/unistd.h>

enum { interrupted = -4 }; // -EINTR

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall stand_in\n");

static long call(long number, long a, long b, long c, long d, long e)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = 0;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl stand_in\n");

static long call(long number, long a, long b, long c, long d, long e)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = 0;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "no system calls for this processor"
#endif

static int number(const char *text)
{
    int value = 0;
    for (; *text; text++)
        value = value * 10 + (*text - '0');
    return value;
}

static int take_place(int first, int cgroups, int namespaces)
{
    for (int i = first; i < first + cgroups; i++)
        if (call(__NR_write, i, (long)"0", 1, 0, 0) < 0)
            return 0;
    for (int i = first + cgroups; i < first + cgroups + namespaces; i++)
        if (call(__NR_setns, i, 0, 0, 0, 0) < 0)
            return 0;
    return call(__NR_close_range, first, ~0U, 0, 0, 0) == 0;
}

// Whether a byte came. The end of the file comes when the shim has gone or wants us no more.
static int await_byte(int descriptor)
{
    char byte;
    long count;
    while ((count = call(__NR_read, descriptor, (long)&byte, 1, 0, 0)) == interrupted)
        ;
    call(__NR_close, descriptor, 0, 0, 0, 0);
    return count > 0;
}

// `stack` is what the kernel starts a program with: the number of arguments, the arguments, NULL, the environment.
// Until somebody has a perf event, and from a second after the last one is closed, the kernel's scheduler knows nothing
// of them, and the first one waits for all processors (13 ms). CRIU stops what it restores at a hardware breakpoint,
// which is a perf event. This one counts nothing, and is closed when the program starts.
static void keep_perf_events_on(void)
{
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event, .config = PERF_COUNT_SW_DUMMY};
    event.disabled = 1;
    call(__NR_perf_event_open, (long)&event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

__attribute__((used, noreturn)) static void stand_in(long *stack)
{
    char **arguments = (char **)(stack + 1), **program = arguments + 5;
    // Run from memory it would be called after the number of its descriptor.
    call(__NR_prctl, PR_SET_NAME, (long)"stand-in", 0, 0, 0);
    if (*stack > 5 && take_place(number(arguments[2]), number(arguments[3]), number(arguments[4]))) {
        int awaited = number(arguments[1]);
        // Where there is time for it.
        if (awaited != 0)
            keep_perf_events_on();
        if (awaited == 0 || await_byte(awaited))
            call(__NR_execve, (long)*program, (long)program, (long)(arguments + *stack + 1), 0, 0);
    }
    for (;;)
        call(__NR_exit_group, 127, 0, 0, 0, 0);
}
