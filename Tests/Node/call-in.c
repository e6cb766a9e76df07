// call-in FILE once|instead PROGRAM ARGUMENT...
//
// Runs a program, and as soon as it has a system call filter makes calls in its name: what each comes to is in FILE, a line
// with a name and a number. Then the program goes on as if nothing had been. With `instead` the first file that it opens
// after that is not opened, as if the filter had denied it.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct call {
    const char *name;
    unsigned long number, first, second;
} calls[] = {
    {"getpid", SYS_getpid, 0, 0},
    {"socket-unix", SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC},
    {"socket-datagram", SYS_socket, AF_UNIX, SOCK_DGRAM},
    {"socket-ipv4", SYS_socket, AF_INET, SOCK_STREAM},
    {"socket-ipv6", SYS_socket, AF_INET6, SOCK_DGRAM},
    {"socket-netlink", SYS_socket, AF_NETLINK, SOCK_RAW},
    {"socket-packet", SYS_socket, AF_PACKET, SOCK_RAW},
    {"connect", SYS_connect, -1, 0},
    {"execve", SYS_execve, 0, 0},
    {"mount", SYS_mount, 0, 0},
    {"unshare", SYS_unshare, 0, 0},
    {"bpf", SYS_bpf, 0, 0},
    {"perf_event_open", SYS_perf_event_open, 0, 0},
    {"io_uring_setup", SYS_io_uring_setup, 0, 0},
    {"userfaultfd", SYS_userfaultfd, 0, 0},
    {"init_module", SYS_init_module, 0, 0},
    {"kexec_load", SYS_kexec_load, 1, 1},
    {"keyctl", SYS_keyctl, 0, -3},
    {"getpid-x32", SYS_getpid | 0x40000000, 0, 0},
};

static int fail(const char *what) {
    perror(what);
    exit(125);
}

// Lets it run to its next stop by a system call. Ends with it.
static void run_to_call(pid_t pid) {
    for (int signal = 0;;) {
        int status;
        if (ptrace(PTRACE_SYSCALL, pid, 0, signal) < 0 && errno != ESRCH) fail("PTRACE_SYSCALL");
        if (waitpid(pid, &status, 0) < 0) fail("waitpid");
        if (WIFEXITED(status)) exit(WEXITSTATUS(status));
        if (WIFSIGNALED(status)) exit(128 + WTERMSIG(status));
        // Stops of system calls are told apart from signals by bit 7.
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) return;
        signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    }
}

static void get(pid_t pid, struct user_regs_struct *registers) {
    if (ptrace(PTRACE_GETREGS, pid, 0, registers) < 0) fail("PTRACE_GETREGS");
}

static void set(pid_t pid, const struct user_regs_struct *registers) {
    if (ptrace(PTRACE_SETREGS, pid, 0, registers) < 0) fail("PTRACE_SETREGS");
}

static int has_filter(pid_t pid) {
    char path[64], line[128];
    int mode = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    while (fgets(line, sizeof line, file)) sscanf(line, "Seccomp: %d", &mode);
    fclose(file);
    return mode == 2;
}

// It stands before a call, and does so again afterwards.
static long call(pid_t pid, const struct user_regs_struct *before, const struct call *wanted) {
    struct user_regs_struct registers = *before;
    registers.orig_rax = wanted->number;
    registers.rdi = wanted->first;
    registers.rsi = wanted->second;
    registers.rdx = registers.r10 = registers.r8 = 0;
    set(pid, &registers);
    run_to_call(pid);
    get(pid, &registers);
    long result = (long)registers.rax;
    registers = *before;
    // The instruction `syscall` once more.
    registers.rip -= 2;
    registers.rax = before->orig_rax;
    set(pid, &registers);
    run_to_call(pid);
    return result;
}

int main(int count, char **words) {
    if (count < 4) return 125;
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execvp(words[3], words + 3);
        _exit(127);
    }
    int status;
    if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status)) fail("start");
    if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0) fail("PTRACE_SETOPTIONS");
    struct user_regs_struct registers;
    // Each call has two stops, before and after it. What sets the filter is the last without one.
    do {
        run_to_call(pid);
        run_to_call(pid);
    } while (!has_filter(pid));
    run_to_call(pid);
    get(pid, &registers);
    FILE *file = fopen(words[1], "w");
    if (!file) fail(words[1]);
    for (size_t n = 0; n < sizeof calls / sizeof *calls; n++)
        fprintf(file, "%s %ld\n", calls[n].name, call(pid, &registers, &calls[n]));
    fclose(file);
    int isDone = strcmp(words[2], "instead") != 0;
    while (1) {
        if (!isDone && registers.orig_rax == SYS_openat) {
            registers.orig_rax = SYS_bpf;
            set(pid, &registers);
            isDone = 1;
        }
        run_to_call(pid);
        run_to_call(pid);
        get(pid, &registers);
    }
}
