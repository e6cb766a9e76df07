// kill-at N PROGRAM ARGUMENT...
//
// Runs a program and kills it as it is about to take its Nth step: a call that makes, replaces or removes something in a
// file system, or starts a process. The call itself is not made. Status 137 if it was killed, the program's own otherwise.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_step(const struct user_regs_struct *registers) {
    switch (registers->orig_rax) {
    case SYS_open: return (registers->rsi & (O_CREAT | O_TRUNC)) != 0;
    case SYS_openat: return (registers->rdx & (O_CREAT | O_TRUNC)) != 0;
    case SYS_rename: case SYS_renameat: case SYS_renameat2: case SYS_unlink: case SYS_unlinkat:
    case SYS_mkdir: case SYS_mkdirat: case SYS_rmdir:
    case SYS_clone: case SYS_clone3: case SYS_fork: case SYS_vfork:
        return 1;
    default: return 0;
    }
}

static int fail(const char *what) {
    perror(what);
    return 125;
}

int main(int count, char **words) {
    if (count < 3) return 125;
    long left = atol(words[1]);
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(words[2], words + 2);
        _exit(127);
    }
    int status, entering = 1;
    if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status)) return fail("start");
    // Stops of system calls are told apart from signals by bit 7.
    if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0) return fail("PTRACE_SETOPTIONS");
    int signal = 0;
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, pid, 0, signal) < 0 && errno != ESRCH) return fail("PTRACE_SYSCALL");
        if (waitpid(pid, &status, 0) < 0) return fail("waitpid");
        if (WIFEXITED(status)) return WEXITSTATUS(status);
        if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
        signal = 0;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
            continue;
        }
        struct user_regs_struct registers;
        if (entering && ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0 && is_step(&registers) && --left == 0)
            kill(pid, SIGKILL);
        entering = !entering;
    }
}
