// What NAT in a network namespace makes of a connection, as connection tracking knows it (ctnetlink).
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "CLinux.h"

int zp_conntrack_open(void) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    return netlink < 0 ? -errno : netlink;
}

static struct nlattr *add(struct nlmsghdr *message, int type, const void *value, size_t size) {
    struct nlattr *attribute = (struct nlattr *)((char *)message + NLMSG_ALIGN(message->nlmsg_len));
    attribute->nla_type = type;
    attribute->nla_len = NLA_HDRLEN + size;
    if (size) memcpy((char *)attribute + NLA_HDRLEN, value, size);
    message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + NLA_ALIGN(attribute->nla_len);
    return attribute;
}

static void end(struct nlmsghdr *message, struct nlattr *nest) {
    nest->nla_len = (char *)message + message->nlmsg_len - (char *)nest;
}

static int ask(int netlink, const struct zp_tuple *tuple) {
    union {
        struct nlmsghdr header;
        char bytes[256];
    } request = {.header = {
        .nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg)),
        .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
        .nlmsg_flags = NLM_F_REQUEST,
    }};
    struct nfgenmsg *body = NLMSG_DATA(&request.header);
    body->nfgen_family = tuple->is_ipv6 ? AF_INET6 : AF_INET;
    body->version = NFNETLINK_V0;

    size_t size = tuple->is_ipv6 ? 16 : 4;
    uint8_t protocol = IPPROTO_TCP;
    uint16_t from = htons(tuple->source_port), to = htons(tuple->destination_port);
    struct nlattr *all = add(&request.header, CTA_TUPLE_ORIG | NLA_F_NESTED, NULL, 0);
    struct nlattr *part = add(&request.header, CTA_TUPLE_IP | NLA_F_NESTED, NULL, 0);
    add(&request.header, tuple->is_ipv6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, tuple->source, size);
    add(&request.header, tuple->is_ipv6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, tuple->destination, size);
    end(&request.header, part);
    part = add(&request.header, CTA_TUPLE_PROTO | NLA_F_NESTED, NULL, 0);
    add(&request.header, CTA_PROTO_NUM, &protocol, sizeof protocol);
    add(&request.header, CTA_PROTO_SRC_PORT, &from, sizeof from);
    add(&request.header, CTA_PROTO_DST_PORT, &to, sizeof to);
    end(&request.header, part);
    end(&request.header, all);
    return send(netlink, &request, request.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

// The attribute of that type among those in `length` bytes, or NULL.
static const struct nlattr *find(const void *bytes, size_t length, int type) {
    for (const char *next = bytes; length >= NLA_HDRLEN;) {
        const struct nlattr *attribute = (const struct nlattr *)next;
        if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > length) return NULL;
        if ((attribute->nla_type & NLA_TYPE_MASK) == type) return attribute;
        size_t step = NLA_ALIGN(attribute->nla_len);
        if (step > length) return NULL;
        next += step;
        length -= step;
    }
    return NULL;
}

static const struct nlattr *within(const struct nlattr *nest, int type) {
    return nest ? find((const char *)nest + NLA_HDRLEN, nest->nla_len - NLA_HDRLEN, type) : NULL;
}

static int copy(void *to, const struct nlattr *nest, int type, size_t size) {
    const struct nlattr *attribute = within(nest, type);
    if (!attribute || attribute->nla_len != NLA_HDRLEN + size) return -EBADMSG;
    memcpy(to, (const char *)attribute + NLA_HDRLEN, size);
    return 0;
}

static int read_tuple(const struct nlattr *all, int is_ipv6, struct zp_tuple *tuple) {
    *tuple = (struct zp_tuple){.is_ipv6 = is_ipv6};
    const struct nlattr *ip = within(all, CTA_TUPLE_IP), *tcp = within(all, CTA_TUPLE_PROTO);
    size_t size = is_ipv6 ? 16 : 4;
    uint16_t from, to;
    if (copy(tuple->source, ip, is_ipv6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, size)
        || copy(tuple->destination, ip, is_ipv6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, size)
        || copy(&from, tcp, CTA_PROTO_SRC_PORT, sizeof from) || copy(&to, tcp, CTA_PROTO_DST_PORT, sizeof to))
        return -EBADMSG;
    tuple->source_port = ntohs(from);
    tuple->destination_port = ntohs(to);
    return 0;
}

int zp_conntrack_get(int netlink, const struct zp_tuple *asked, struct zp_tuple *other) {
    int error = ask(netlink, asked);
    if (error) return error;
    char buffer[8192] __attribute__((aligned(8)));
    ssize_t length;
    do length = recv(netlink, buffer, sizeof buffer, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0) return -errno;
    struct nlmsghdr *header = (struct nlmsghdr *)buffer;
    if (!NLMSG_OK(header, length)) return -EBADMSG;
    if (header->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(header))->error;

    const size_t start = NLMSG_LENGTH(sizeof(struct nfgenmsg));
    if (header->nlmsg_len < start) return -EBADMSG;
    const void *attributes = buffer + start;
    struct zp_tuple original, reply;
    size_t rest = header->nlmsg_len - start;
    error = read_tuple(find(attributes, rest, CTA_TUPLE_ORIG), asked->is_ipv6, &original);
    if (!error) error = read_tuple(find(attributes, rest, CTA_TUPLE_REPLY), asked->is_ipv6, &reply);
    if (error) return error;
    *other = memcmp(&original, asked, sizeof original) ? original : reply;
    return 0;
}
