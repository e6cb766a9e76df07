#include "sockdiag.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(int netlink, int family, uint32_t states, uint8_t extensions) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } request = {
        .header = {
            .nlmsg_len = sizeof request,
            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
        },
        .body = {
            .sdiag_family = family,
            .sdiag_protocol = IPPROTO_TCP,
            .idiag_ext = extensions,
            .idiag_states = states,
        },
    };
    return send(netlink, &request, sizeof request, 0) < 0 ? -errno : 0;
}

int zp_socket_dump(
    uint32_t states, uint8_t extensions, size_t capacity,
    void (*read)(void *to, size_t index, struct nlmsghdr *header), void *to) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0) return -errno;
    const int families[] = {AF_INET, AF_INET6};
    size_t count = 0;
    int error = 0;
    for (int index = 0; index < 2 && !error; index++) {
        error = ask(netlink, families[index], states, extensions);
        for (int is_done = 0; !error && !is_done;) {
            char buffer[32768] __attribute__((aligned(8)));
            ssize_t length = recv(netlink, buffer, sizeof buffer, 0);
            if (length < 0 && errno == EINTR) continue;
            if (length < 0) error = -errno;
            for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; !error && !is_done && NLMSG_OK(header, length);
                 header = NLMSG_NEXT(header, length)) {
                if (header->nlmsg_type == NLMSG_DONE) is_done = 1;
                else if (header->nlmsg_type == NLMSG_ERROR) error = ((struct nlmsgerr *)NLMSG_DATA(header))->error;
                else if (count == capacity) error = -E2BIG;
                else read(to, count++, header);
            }
        }
    }
    close(netlink);
    return error ? error : (int)count;
}
