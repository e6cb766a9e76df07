// The listening TCP sockets of a network namespace, by sock_diag(7): what /proc/net/tcp leaves out is which IPv6 sockets
// take IPv6 alone, and the device that a socket is bound to.
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "CLinux.h"

// Of include/net/tcp_states.h.
enum { LISTEN = 10 };

static int ask(int netlink, int family) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } request = {
        .header = {
            .nlmsg_len = sizeof request,
            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
        },
        .body = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1 << LISTEN},
    };
    return send(netlink, &request, sizeof request, 0) < 0 ? -errno : 0;
}

static struct zp_listener read_listener(struct nlmsghdr *header) {
    struct inet_diag_msg *message = NLMSG_DATA(header);
    struct zp_listener listener = {
        .inode = message->idiag_inode,
        .interface = message->id.idiag_if,
        .port = ntohs(message->id.idiag_sport),
        .is_ipv6 = message->idiag_family == AF_INET6,
    };
    memcpy(listener.address, message->id.idiag_src, listener.is_ipv6 ? 16 : 4);
    int length = header->nlmsg_len - NLMSG_LENGTH(sizeof *message);
    for (struct rtattr *item = (struct rtattr *)(message + 1); RTA_OK(item, length); item = RTA_NEXT(item, length))
        if (item->rta_type == INET_DIAG_SKV6ONLY) listener.is_ipv6_only = *(uint8_t *)RTA_DATA(item);
    return listener;
}

static int collect(int netlink, struct zp_listener *listeners, size_t capacity, size_t *count) {
    for (;;) {
        char buffer[32768] __attribute__((aligned(8)));
        ssize_t length = recv(netlink, buffer, sizeof buffer, 0);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return -errno;
        for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; NLMSG_OK(header, length);
             header = NLMSG_NEXT(header, length)) {
            if (header->nlmsg_type == NLMSG_DONE) return 0;
            if (header->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
            if (*count == capacity) return -E2BIG;
            listeners[(*count)++] = read_listener(header);
        }
    }
}

int zp_listening_sockets(struct zp_listener *listeners, size_t capacity) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0) return -errno;
    size_t count = 0;
    int error = ask(netlink, AF_INET);
    if (!error) error = collect(netlink, listeners, capacity, &count);
    if (!error) error = ask(netlink, AF_INET6);
    if (!error) error = collect(netlink, listeners, capacity, &count);
    close(netlink);
    return error ? error : (int)count;
}
