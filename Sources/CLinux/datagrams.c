#include "CLinux.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

// Of <linux/in.h> and <linux/in6.h>, which cannot stand beside the C library's.
#ifndef IP_RECVORIGDSTADDR
#define IP_RECVORIGDSTADDR 20
#endif
#ifndef IPV6_RECVORIGDSTADDR
#define IPV6_RECVORIGDSTADDR 74
#endif

int zp_tell_destinations(int socket, int is_ipv6)
{
    int on = 1;
    // An IPv6 socket tells of IPv4 datagrams in IPv4's way.
    if (setsockopt(socket, IPPROTO_IP, IP_RECVORIGDSTADDR, &on, sizeof on))
        return -errno;
    if (is_ipv6 && setsockopt(socket, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, &on, sizeof on))
        return -errno;
    return 0;
}

int zp_peek_datagram(int socket, struct sockaddr_storage *source, struct sockaddr_storage *destination)
{
    union {
        struct cmsghdr align;
        char bytes[2 * CMSG_SPACE(sizeof(struct sockaddr_in6))];
    } control;
    // Sockets in a sockmap take a receive of nothing for done. It is not looked at.
    char byte;
    struct iovec space = { &byte, 1 };
    struct msghdr message = {
        .msg_name = source,
        .msg_namelen = sizeof *source,
        .msg_iov = &space,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    ssize_t length;
    do
        length = recvmsg(socket, &message, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return -errno;

    memset(destination, 0, sizeof *destination);
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
        size_t size = 0;
        if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_RECVORIGDSTADDR)
            size = sizeof(struct sockaddr_in);
        if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_RECVORIGDSTADDR)
            size = sizeof(struct sockaddr_in6);
        if (size && item->cmsg_len >= CMSG_LEN(size))
            memcpy(destination, CMSG_DATA(item), size);
    }
    return (int)length;
}
