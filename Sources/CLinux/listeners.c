// The listening TCP sockets of a network namespace, by sock_diag(7): what /proc/net/tcp leaves out is which IPv6 sockets
// take IPv6 alone, and the device that a socket is bound to.
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "CLinux.h"
#include "sockdiag.h"

// Of include/net/tcp_states.h.
enum { LISTEN = 10 };

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

static void read_into(void *listeners, size_t index, struct nlmsghdr *header) {
    ((struct zp_listener *)listeners)[index] = read_listener(header);
}

int zp_listening_sockets(struct zp_listener *listeners, size_t capacity) {
    return zp_socket_dump(1 << LISTEN, 0, capacity, read_into, listeners);
}
