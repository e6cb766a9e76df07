// The TCP connections of a network namespace, by sock_diag(7), with what /proc/net/tcp leaves out: when data last came
// and went.
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "CLinux.h"
#include "sockdiag.h"

// Of include/net/tcp_states.h: all that a process can hold a connection in. What is half-made, or outlives its process,
// is the kernel's.
enum { ESTABLISHED = 1, SYN_SENT = 2, FIN_WAIT1 = 4, FIN_WAIT2 = 5, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 };

static struct zp_tcp_connection read_connection(struct nlmsghdr *header) {
    struct inet_diag_msg *message = NLMSG_DATA(header);
    struct zp_tcp_connection connection = {
        .inode = message->idiag_inode,
        .state = message->idiag_state,
        .is_ipv6 = message->idiag_family == AF_INET6,
        .local_port = ntohs(message->id.idiag_sport),
        .remote_port = ntohs(message->id.idiag_dport),
        .unread = message->idiag_rqueue,
        .unacknowledged = message->idiag_wqueue,
    };
    size_t size = connection.is_ipv6 ? 16 : 4;
    memcpy(connection.local, message->id.idiag_src, size);
    memcpy(connection.remote, message->id.idiag_dst, size);
    int length = header->nlmsg_len - NLMSG_LENGTH(sizeof *message);
    for (struct rtattr *item = (struct rtattr *)(message + 1); RTA_OK(item, length); item = RTA_NEXT(item, length)) {
        if (item->rta_type != INET_DIAG_INFO) continue;
        // Kernels give more or less of it, by their age.
        struct tcp_info info = {0};
        size_t given = RTA_PAYLOAD(item);
        memcpy(&info, RTA_DATA(item), given < sizeof info ? given : sizeof info);
        connection.since_sent = info.tcpi_last_data_sent;
        connection.since_received = info.tcpi_last_data_recv;
        connection.sent = info.tcpi_bytes_sent;
        connection.received = info.tcpi_bytes_received;
    }
    return connection;
}

static void read_into(void *connections, size_t index, struct nlmsghdr *header) {
    ((struct zp_tcp_connection *)connections)[index] = read_connection(header);
}

int zp_tcp_connections(struct zp_tcp_connection *connections, size_t capacity) {
    uint32_t states = 1 << ESTABLISHED | 1 << SYN_SENT | 1 << FIN_WAIT1 | 1 << FIN_WAIT2 | 1 << CLOSE_WAIT
        | 1 << LAST_ACK | 1 << CLOSING;
    return zp_socket_dump(states, 1 << (INET_DIAG_INFO - 1), capacity, read_into, connections);
}
