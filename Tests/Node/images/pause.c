// The process that keeps a pod's namespaces, and PID 1 of the test node: waits for ever, reaps whatever ends under it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int signal) {
    (void)signal;
    _exit(0);
}

static void reap(int signal) {
    (void)signal;
    while (waitpid(-1, 0, WNOHANG) > 0) {
    }
}

int main(void) {
    signal(SIGTERM, leave);
    signal(SIGINT, leave);
    signal(SIGCHLD, reap);
    // Those that ended before the handler stood.
    reap(SIGCHLD);
    for (;;) pause();
}
