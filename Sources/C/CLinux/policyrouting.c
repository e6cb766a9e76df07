// Policy routing by rtnetlink(7): packets with a mark stay in the network namespace, whatever their destination.
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CLinux.h"

struct request {
    struct nlmsghdr header;
    char body[128];
};

static void *start(struct request *request, int type, int flags, size_t size) {
    memset(request, 0, sizeof *request);
    request->header.nlmsg_len = NLMSG_LENGTH(size);
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    return NLMSG_DATA(&request->header);
}

static void add_number(struct request *request, int type, uint32_t value) {
    struct rtattr *item = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    item->rta_type = type;
    item->rta_len = RTA_LENGTH(sizeof value);
    memcpy(RTA_DATA(item), &value, sizeof value);
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(item->rta_len);
}

static int perform(int netlink, struct request *request) {
    if (send(netlink, request, request->header.nlmsg_len, 0) < 0) return -errno;
    char answer[1024] __attribute__((aligned(8)));
    ssize_t length;
    do length = recv(netlink, answer, sizeof answer, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0) return -errno;
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    if (!NLMSG_OK(header, length) || header->nlmsg_type != NLMSG_ERROR) return -EBADMSG;
    return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
}

static int change_route(int netlink, int type, int flags, int family, uint32_t table) {
    struct request request;
    struct rtmsg *body = start(&request, type, flags, sizeof *body);
    body->rtm_family = family;
    body->rtm_protocol = RTPROT_STATIC;
    body->rtm_scope = RT_SCOPE_HOST;
    body->rtm_type = RTN_LOCAL;
    add_number(&request, RTA_TABLE, table);
    add_number(&request, RTA_OIF, if_nametoindex("lo"));
    return perform(netlink, &request);
}

static int change_rule(int netlink, int type, int flags, int family, uint32_t mark, uint32_t table) {
    struct request request;
    struct fib_rule_hdr *body = start(&request, type, flags, sizeof *body);
    body->family = family;
    body->action = FR_ACT_TO_TBL;
    // Right after the rule for local addresses.
    add_number(&request, FRA_PRIORITY, 1);
    add_number(&request, FRA_FWMARK, mark);
    add_number(&request, FRA_TABLE, table);
    return perform(netlink, &request);
}

int zp_keep_marked(int family, uint32_t mark, uint32_t table) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (netlink < 0) return -errno;
    int error = change_route(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, family, table);
    if (!error || error == -EEXIST)
        error = change_rule(netlink, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, family, mark, table);
    close(netlink);
    return error == -EEXIST ? 0 : error;
}

int zp_keep_marked_no_more(int family, uint32_t mark, uint32_t table) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (netlink < 0) return -errno;
    int rule = change_rule(netlink, RTM_DELRULE, 0, family, mark, table);
    int route = change_route(netlink, RTM_DELROUTE, 0, family, table);
    close(netlink);
    return rule ? rule : route;
}
