// What sock_diag(7) tells of the TCP sockets of the network namespace that the thread is in. Of this directory alone.
#ifndef ZP_SOCKDIAG_H
#define ZP_SOCKDIAG_H

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

// Calls back for each socket in one of these states, first the IPv4 ones, at most `capacity` times.
//
// extensions: a bit for each INET_DIAG_… attribute that is wanted, the first for number 1.
// Returns how many there were; -E2BIG if there are more; another -errno.
int zp_socket_dump(
    uint32_t states, uint8_t extensions, size_t capacity,
    void (*read)(void *to, size_t index, struct nlmsghdr *header), void *to);

#endif
