"""Sockets of the network that nobody outside speaks to."""

import functools
import os
import socket
import struct

from kind import Kind, NotHere

SOL, IP, IPV6, TCP, UDP = socket.SOL_SOCKET, socket.IPPROTO_IP, socket.IPPROTO_IPV6, socket.IPPROTO_TCP, 17
# Names are for the report. Each is set to something that is not its default where it can be set at all.
OPTIONS = [
    ("SO_KEEPALIVE", SOL, 9, 1), ("SO_PRIORITY", SOL, 12, 3), ("SO_LINGER", SOL, 13, struct.pack("ii", 1, 7)),
    ("SO_SNDBUF", SOL, 7, 50_000), ("SO_RCVBUF", SOL, 8, 60_000), ("SO_RCVLOWAT", SOL, 18, 3),
    ("SO_RCVTIMEO", SOL, 20, struct.pack("qq", 99, 0)), ("SO_SNDTIMEO", SOL, 21, struct.pack("qq", 98, 0)),
    ("SO_REUSEADDR", SOL, 2, 1), ("SO_REUSEPORT", SOL, 15, None), ("SO_OOBINLINE", SOL, 10, 1),
    ("SO_TIMESTAMP", SOL, 29, 1), ("SO_MARK", SOL, 36, None), ("SO_BUSY_POLL", SOL, 46, None),
    ("SO_ZEROCOPY", SOL, 60, 1), ("SO_MAX_PACING_RATE", SOL, 47, 1_000_000),
    ("IP_TOS", IP, 1, 0x10), ("IP_TTL", IP, 2, 33), ("IP_MTU_DISCOVER", IP, 10, 0), ("IP_RECVERR", IP, 11, 1),
    ("IP_PKTINFO", IP, 8, 1), ("IP_RECVTTL", IP, 12, 1), ("IP_MINTTL", IP, 21, 1), ("IP_FREEBIND", IP, 15, 1),
    ("IP_BIND_ADDRESS_NO_PORT", IP, 24, 1), ("IP_MULTICAST_TTL", IP, 33, 9), ("IP_MULTICAST_LOOP", IP, 34, 0),
    ("IPV6_V6ONLY", IPV6, 26, None), ("IPV6_UNICAST_HOPS", IPV6, 16, 44), ("IPV6_TCLASS", IPV6, 67, 0x20),
    ("IPV6_RECVPKTINFO", IPV6, 49, 1), ("IPV6_MTU_DISCOVER", IPV6, 23, 0), ("IPV6_RECVERR", IPV6, 25, 1),
    ("TCP_NODELAY", TCP, 1, 1), ("TCP_KEEPIDLE", TCP, 4, 111), ("TCP_KEEPINTVL", TCP, 5, 22), ("TCP_KEEPCNT", TCP, 6, 5),
    ("TCP_USER_TIMEOUT", TCP, 18, 54_321), ("TCP_DEFER_ACCEPT", TCP, 9, None), ("TCP_LINGER2", TCP, 8, 13),
    ("TCP_SYNCNT", TCP, 7, 4), ("TCP_NOTSENT_LOWAT", TCP, 25, 16_384),
    ("TCP_CONGESTION", TCP, 13, b"reno"), ("TCP_WINDOW_CLAMP", TCP, 10, 40_000), ("TCP_FASTOPEN", TCP, 23, 5),
    ("TCP_MAXSEG", TCP, 2, None), ("TCP_THIN_LINEAR_TIMEOUTS", TCP, 16, 1), ("TCP_SAVE_SYN", TCP, 27, 1),
    ("UDP_SEGMENT", UDP, 103, 1000), ("UDP_GRO", UDP, 104, 1), ("UDP_NO_CHECK6_TX", UDP, 101, 1),
]


class Options(Kind):
    def __init__(self, what, volume):
        self.what, self.holds = what, f"options of a {what}"
        super().__init__(volume)

    def take(self):
        self.sockets = self.make()
        for _, level, number, value in OPTIONS:
            try:
                if value is not None:
                    self.sockets[0].setsockopt(level, number, value)
            except OSError:
                pass
        if self.what.startswith("listening"):
            self.sockets[0].listen(7)
        self.before = self.read()

    def make(self):
        family = socket.AF_INET6 if "IPv6" in self.what else socket.AF_INET
        kind = socket.SOCK_DGRAM if "UDP" in self.what else socket.SOCK_STREAM
        one = socket.socket(family, kind)
        one.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        if not self.what.startswith("connected"):
            return [one]
        other = socket.socket(family, kind)
        if kind == socket.SOCK_DGRAM:
            one.connect(one.getsockname())
            return [one]
        one.listen(1)
        other.connect(one.getsockname())
        return [other, one.accept()[0], one]

    def read(self):
        values = {"address": self.sockets[0].getsockname(), "inode": os.fstat(self.sockets[0].fileno()).st_ino}
        for name, level, number, _ in OPTIONS:
            try:
                values[name] = self.sockets[0].getsockopt(level, number, 16)
            except OSError as error:
                values[name] = error.errno
        return values

    def look(self, n):
        now = self.read()
        yield "options that differ", [], [(name, self.before[name], now[name]) for name in now if self.before[name] != now[name]]


class Membership(Kind):
    """A member of a multicast group hears what its own pod sends to it."""

    asleep = "nothing"

    def __init__(self, family, volume):
        self.family = family
        self.holds = "a multicast membership, " + ("IPv6" if family == socket.AF_INET6 else "IPv4")
        super().__init__(volume)

    def take(self):
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.bind(("", 0))
        self.socket.settimeout(20)
        index = socket.if_nametoindex("eth0")
        if self.family == socket.AF_INET6:
            self.group = "ff12::4711"
            self.socket.setsockopt(IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(self.family, self.group) + struct.pack("i", index))
            self.socket.setsockopt(IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            self.group = "239.1.2.3"
            request = socket.inet_aton(self.group) + socket.inet_aton("0.0.0.0") + struct.pack("i", index)
            self.socket.setsockopt(IP, socket.IP_ADD_MEMBERSHIP, request)
            self.socket.setsockopt(IP, socket.IP_MULTICAST_IF, socket.inet_aton("0.0.0.0") * 2 + struct.pack("i", index))
        self.port = self.socket.getsockname()[1]

    def look(self, n):
        self.socket.sendto(b"%d" % n, (self.group, self.port))
        # A bridge may send it back, so that it comes twice.
        while (data := self.socket.recv(100)) == b"%d" % (n - 1):
            pass
        yield "datagram to the group", b"%d" % n, data


class UnreadDatagrams(Kind):
    holds = "a UDP socket with unread datagrams"

    def take(self):
        self.near, self.far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.near.bind(("127.0.0.1", 0))
        self.near.setblocking(False)
        self.far.bind(("127.0.0.1", 0))
        for number in range(3):
            self.far.sendto(b"datagram %d" % number, self.near.getsockname())

    def look(self, n):
        yield "datagram", (b"datagram %d" % (n - 1), self.far.getsockname()), self.near.recvfrom(100)


class Other(Kind):
    """Sockets of other families."""

    def __init__(self, what, volume):
        self.holds = what
        super().__init__(volume)

    def take(self):
        try:
            if "netlink" in self.holds:
                self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
                self.socket.bind((0, 1))
            elif "packet" in self.holds:
                self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
                self.socket.bind(("lo", 0))
            else:
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        except OSError as error:
            raise NotHere(str(error)) from error
        self.inode, self.name_before = os.fstat(self.socket.fileno()).st_ino, self.socket.getsockname()

    def look(self, n):
        yield "inode", self.inode, os.fstat(self.socket.fileno()).st_ino
        yield "name", self.name_before, self.socket.getsockname()


SOCKETS = [
    f"{state}{kind} socket of {family}"
    for kind in ("TCP", "UDP") for family in ("IPv4", "IPv6")
    for state in (("listening ", "connected ", "bound ") if kind == "TCP" else ("connected ", "bound "))
]
KINDS = [functools.partial(Options, what) for what in SOCKETS] + [
    functools.partial(Membership, family) for family in (socket.AF_INET, socket.AF_INET6)
] + [UnreadDatagrams] + [functools.partial(Other, what) for what in ("a netlink socket", "a packet socket", "a raw socket")]
