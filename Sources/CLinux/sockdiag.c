// What the kernel tells of TCP connections over netlink (sock_diag(7)), which /proc/net/tcp does not: when data last
// came and went.
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "CLinux.h"

// Of include/net/tcp_states.h.
enum { ESTABLISHED = 1, CLOSE_WAIT = 8 };

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
        .body = {
            .sdiag_family = family,
            .sdiag_protocol = IPPROTO_TCP,
            .idiag_ext = 1 << (INET_DIAG_INFO - 1),
            .idiag_states = 1 << ESTABLISHED | 1 << CLOSE_WAIT,
        },
    };
    return send(netlink, &request, sizeof request, 0) < 0 ? -errno : 0;
}

static int is_among(uint16_t port, const uint16_t *ports, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (ports[i] == port) return 1;
    return 0;
}

// The times begin with the connection and are as coarse as a jiffy, so a first request that comes with the connection
// shows by the bytes alone.
static int owes_an_answer(const struct tcp_info *info) {
    if (info->tcpi_bytes_sent == 0) return info->tcpi_bytes_received > 0;
    return info->tcpi_last_data_recv < info->tcpi_last_data_sent;
}

// Milliseconds since the unanswered data came, or -1.
static int64_t unanswered(struct nlmsghdr *header, const uint16_t *ports, size_t count) {
    struct inet_diag_msg *message = NLMSG_DATA(header);
    if (!is_among(ntohs(message->id.idiag_sport), ports, count)) return -1;
    int length = header->nlmsg_len - NLMSG_LENGTH(sizeof *message);
    for (struct rtattr *item = (struct rtattr *)(message + 1); RTA_OK(item, length); item = RTA_NEXT(item, length)) {
        if (item->rta_type != INET_DIAG_INFO) continue;
        // Kernels give more or less of it, by their age.
        struct tcp_info info = {0};
        size_t given = RTA_PAYLOAD(item);
        memcpy(&info, RTA_DATA(item), given < sizeof info ? given : sizeof info);
        if (message->idiag_rqueue > 0 || owes_an_answer(&info)) return info.tcpi_last_data_recv;
    }
    return -1;
}

static int find_newest(int netlink, const uint16_t *ports, size_t count, int64_t *newest) {
    for (;;) {
        char buffer[32768] __attribute__((aligned(8)));
        ssize_t length = recv(netlink, buffer, sizeof buffer, 0);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return -errno;
        for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; NLMSG_OK(header, length);
             header = NLMSG_NEXT(header, length)) {
            if (header->nlmsg_type == NLMSG_DONE) return 0;
            if (header->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
            int64_t age = unanswered(header, ports, count);
            if (age >= 0 && (*newest < 0 || age < *newest)) *newest = age;
        }
    }
}

int zp_unanswered_data(const uint16_t *ports, size_t count, int64_t *milliseconds) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0) return -errno;
    *milliseconds = -1;
    int error = ask(netlink, AF_INET);
    if (!error) error = find_newest(netlink, ports, count, milliseconds);
    if (!error) error = ask(netlink, AF_INET6);
    if (!error) error = find_newest(netlink, ports, count, milliseconds);
    close(netlink);
    return error;
}
