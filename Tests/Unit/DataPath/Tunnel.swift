import Glibc
import Linux

/// A way into a pod by devices without an Ethernet header (tun(4), as WireGuard's and netkit's are): 10.98.2.1 outside,
/// 10.98.2.2 on the pod's tun0, and fd98::1 and ::2. The test's event loop carries the packets.
final class Tunnel {
    private let loop: EventLoop
    private let outside: Descriptor
    private let inside: Descriptor

    static let isPossible = Files.exists("/dev/net/tun")

    init(_ loop: EventLoop, into pod: TestPod) throws {
        self.loop = loop
        outside = try Self.open("tun1")
        inside = try pod.network.inside { () throws(SystemError) in try Self.open("tun0") }
        try sh(
            """
            set -e
            ip addr add 10.98.2.1/24 dev tun1; ip addr add fd98::1/64 dev tun1 nodad; ip link set tun1 up
            ip -n \(pod.name) addr add 10.98.2.2/24 dev tun0; ip -n \(pod.name) addr add fd98::2/64 dev tun0 nodad
            ip -n \(pod.name) link set tun0 up
            """)
        try carry(outside.rawValue, inside.rawValue)
        try carry(inside.rawValue, outside.rawValue)
    }

    deinit {
        loop.unwatch(outside.rawValue)
        loop.unwatch(inside.rawValue)
    }

    /// A packet for each read and each write. One for which there is no room is lost, as on any network.
    private func carry(_ from: Int32, _ to: Int32) throws(SystemError) {
        var packet = [UInt8](repeating: 0, count: 65_536)
        try loop.watch(from, .readable) { _ in
            let count = read(from, &packet, packet.count)
            if count > 0 { _ = write(to, packet, count) }
        }
    }

    /// A device of the namespace that the thread is in.
    private static func open(_ name: String) throws(SystemError) -> Descriptor {
        let device = try Descriptor.open("/dev/net/tun", O_RDWR | O_NONBLOCK)
        // struct ifreq of <net/if.h>: the name, and at 16 the flags IFF_TUN and IFF_NO_PI (<linux/if_tun.h>).
        var request = [UInt8](repeating: 0, count: 40)
        request.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        (request[16], request[17]) = (0x01, 0x10)
        // TUNSETIFF.
        try retrying("ioctl(TUNSETIFF)", name) { ioctl(device.rawValue, 0x4004_54ca, &request) }
        return device
    }
}
