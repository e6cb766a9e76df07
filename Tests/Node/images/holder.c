// Holds an io_uring instance, which CRIU refuses to dump, and serves TCP on port 8080, so that there is traffic to
// look at when a checkpoint fails. Raw system calls: neither libc has the io_uring ones.
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/io_uring.h>

int main(void) {
    struct io_uring_params params = {0};
    if (syscall(SYS_io_uring_setup, 4, &params) < 0) {
        perror("io_uring_setup");
        return 1;
    }
    int listener = socket(AF_INET6, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(8080)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) {
        perror("listen");
        return 1;
    }
    puts("holding an io_uring, listening on 8080");
    fflush(stdout);
    for (int count = 1;; count++) {
        int client = accept(listener, 0, 0);
        char request[1024];
        if (client < 0 || read(client, request, sizeof request) <= 0) {
            close(client);
            continue;
        }
        dprintf(client, "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n%d\n", count);
        close(client);
    }
}
