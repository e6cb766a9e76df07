import CBPF
import DataPath
import Glibc
import Linux
import Testing

/// The tc programs by BPF_PROG_TEST_RUN: which packets count as activity of which port.
@Suite struct ParsingTests {
    struct Packet: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        /// Whether the ports can be found.
        let counts: Bool

        init(_ name: String, counts: Bool, _ bytes: [UInt8]) {
            testDescription = name
            self.bytes = bytes
            self.counts = counts
        }
    }

    /// The longest that kernels have is 10 ms (CONFIG_HZ=100). In a virtual machine the processor that counts them may be
    /// away for several.
    static let tick = Instant.Span.milliseconds(500)
    static let source: UInt16 = 1234
    static let destination: UInt16 = 80

    // MARK: Building packets

    static func big(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }

    static func ethernet(_ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 2, count: 12) + big(type) + payload
    }

    static let tcp = big(source) + big(destination) + [UInt8](repeating: 0, count: 16)

    static func ipv4(
        version: UInt8 = 4, words: UInt8 = 5, fragment: UInt16 = 0, proto: UInt8 = 6, _ payload: [UInt8] = tcp
    ) -> [UInt8] {
        let options = [UInt8](repeating: 1, count: max(0, Int(words) * 4 - 20))
        let length = big(UInt16(20 + options.count + payload.count))
        let header = [version << 4 | words, 0] + length + [0, 0] + big(fragment) + [64, proto, 0, 0]
        return ethernet(0x0800, header + [10, 0, 0, 1, 10, 0, 0, 2] + options + payload)
    }

    static func ipv6(_ next: UInt8 = 6, _ payload: [UInt8] = tcp) -> [UInt8] {
        let header = [0x60, 0, 0, 0] + big(UInt16(payload.count)) + [next, 64]
        return ethernet(0x86dd, header + [UInt8](repeating: 0xfd, count: 32) + payload)
    }

    /// An extension header of `units` times 8 bytes.
    static func extra(next: UInt8, units: Int = 1) -> [UInt8] {
        [next, UInt8(units - 1)] + [UInt8](repeating: 0, count: units * 8 - 2)
    }

    static func fragment(offset: UInt16, next: UInt8 = 6) -> [UInt8] {
        [next, 0] + big(offset << 3 | 1) + [0, 0, 0, 1]
    }

    static let (hop, routing, fragmentHeader, auth, options): (UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 43, 44, 51, 60)

    static func destinationOptions(_ count: Int) -> [UInt8] {
        (1..<count).flatMap { _ in extra(next: options) } + extra(next: 6) + tcp
    }

    static let packets = [
        Packet("IPv4", counts: true, ipv4()),
        Packet("IPv4 with 40 bytes of options", counts: true, ipv4(words: 15)),
        Packet("IPv4, first fragment", counts: true, ipv4(fragment: 0x2000)),
        Packet("IPv4, do not fragment", counts: true, ipv4(fragment: 0x4000)),
        Packet("IPv4, later fragment", counts: false, ipv4(fragment: 0x2010)),
        Packet("IPv4, last fragment", counts: false, ipv4(fragment: 0x0010)),
        Packet("IPv4 UDP", counts: false, ipv4(proto: 17)),
        Packet("IPv4 with an impossible header length", counts: false, ipv4(words: 4)),
        Packet("IPv4 that says it is not", counts: false, ipv4(version: 6)),
        Packet("IPv4, cut off in the ports", counts: false, ipv4(Array(tcp[..<3]))),
        Packet("IPv4, options cut off", counts: false, Array(ipv4(words: 15)[..<50])),
        Packet("IPv6", counts: true, ipv6()),
        Packet("IPv6 UDP", counts: false, ipv6(17)),
        Packet("IPv6 hop-by-hop", counts: true, ipv6(hop, extra(next: 6) + tcp)),
        Packet("IPv6 routing of 24 bytes", counts: true, ipv6(routing, extra(next: 6, units: 3) + tcp)),
        Packet("IPv6 authentication", counts: true, ipv6(auth, [6, 4] + [UInt8](repeating: 0, count: 22) + tcp)),
        Packet(
            "IPv6 hop-by-hop, options, routing, first fragment, options", counts: true,
            ipv6(
                hop,
                extra(next: options) + extra(next: routing, units: 2) + extra(next: fragmentHeader)
                    + fragment(offset: 0, next: options) + extra(next: 6, units: 4) + tcp)),
        Packet("IPv6, later fragment", counts: false, ipv6(fragmentHeader, fragment(offset: 2) + tcp)),
        Packet("IPv6, seven extension headers", counts: true, ipv6(options, destinationOptions(7))),
        Packet("IPv6, eight extension headers", counts: false, ipv6(options, destinationOptions(8))),
        Packet("IPv6, nothing follows", counts: false, ipv6(59)),
        Packet("IPv6 ESP", counts: false, ipv6(50)),
        Packet("IPv6, extension header cut off", counts: false, ipv6(hop, [6, 0])),
        Packet("IPv6, extension header longer than the packet", counts: false, ipv6(hop, [6, 255] + tcp)),
        Packet("IPv6, cut off in the ports", counts: false, ipv6(6, Array(tcp[..<2]))),
        Packet("ARP", counts: false, ethernet(0x0806, tcp + tcp)),
    ]

    // MARK: Running them

    @Test func packetsCountForTheirPortsAndAlwaysPass() throws {
        try inScratch {
            let network = try Namespace.own(.network)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: network)
            let redirector = try Redirector(pod: "one")
            for packet in Self.packets {
                for (program, noted, other) in [
                    ("zeropod_ingress", Self.destination, Self.source),
                    ("zeropod_egress", Self.source, Self.destination),
                ] {
                    try redirector.declare(ports: [noted, other], slot: 0)
                    let start = Instant.now
                    let verdict = try Self.run(program, on: packet.bytes)
                    let end = Instant.now
                    // TC_ACT_UNSPEC, TCX_NEXT
                    #expect(verdict == -1, "\(program): \(packet.testDescription)")
                    let time = redirector.lastActivity(of: [noted])
                    #expect((time != nil) == packet.counts, "\(program): \(packet.testDescription)")
                    if let time {
                        #expect(time + Self.tick >= start && time <= end, "\(program): \(packet.testDescription)")
                    }
                    #expect(redirector.lastActivity(of: [other]) == nil, "\(program): \(packet.testDescription)")
                    try redirector.forget(ports: [noted, other])
                }
            }
        }
    }

    @Test func portsThatAreNotDeclaredAreNotNoted() throws {
        try inScratch {
            let network = try Namespace.own(.network)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: network)
            let redirector = try Redirector(pod: "one")
            try redirector.declare(ports: [81], slot: 0)
            _ = try Self.run("zeropod_ingress", on: Self.ipv4())
            #expect(redirector.activePorts.isEmpty)
            #expect(redirector.lastActivity(of: [80, 81]) == nil)
        }
    }

    /// As those of tunnels are. The last one has the bytes of an Ethernet header in its address.
    @Test(.enabled(if: access("/dev/net/tun", R_OK | W_OK) == 0, "no /dev/net/tun here"))
    func packetsWithoutAnEthernetHeaderCount() throws {
        try inScratch {
            try sh("ip tuntap add dev tun0 mode tun")
            let tunnel = try Self.openTunnel("tun0")
            try sh("ip link set tun0 up")
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: try Namespace.own(.network))
            let redirector = try Redirector(pod: "one")
            try redirector.declare(ports: [Self.destination], slot: 0)
            let loop = try EventLoop()
            var imitation = Self.ipv4()
            imitation.replaceSubrange(26..<30, with: [8, 0, 0x45, 0])
            for packet in [Self.ipv4(), Self.ipv6(), Self.ipv4(words: 6), imitation] {
                let before = redirector.lastActivity(of: [Self.destination])
                try tunnel.writeAll(Array(packet.dropFirst(14)))
                try loop.wait(looking: true) { redirector.lastActivity(of: [Self.destination]) != before }
            }
        }
    }

    private static func openTunnel(_ name: String) throws -> Descriptor {
        let tunnel = Descriptor(owning: try retrying("open") { open("/dev/net/tun", O_RDWR | O_CLOEXEC) })
        // struct ifreq: the name, and IFF_TUN | IFF_NO_PI.
        var request = Array(name.utf8) + [UInt8](repeating: 0, count: 40 - name.utf8.count)
        (request[16], request[17]) = (0x01, 0x10)
        // TUNSETIFF
        try retrying("ioctl") { ioctl(tunnel.rawValue, 0x4004_54ca, &request) }
        return tunnel
    }

    /// Within one tick, and on several ports: what came after a look can always be told from what it knew.
    @Test func everyPacketMakesADifference() throws {
        try inScratch {
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: try Namespace.own(.network))
            let redirector = try Redirector(pod: "one")
            try redirector.declare(ports: [Self.source, Self.destination], slot: 0)
            try redirector.declare(datagramPorts: [Self.destination])
            let reader = try redirector.activityReader(
                ports: [Self.source, Self.destination], datagramPorts: [Self.destination])
            let start = Instant.now
            var before = reader.now
            for number in 0..<3000 {
                let packet = number % 3 == 2 ? Self.ipv4(proto: 17) : Self.ipv4()
                _ = try Self.run(number % 3 == 1 ? "zeropod_egress" : "zeropod_ingress", on: packet)
                let now = reader.now
                #expect(now != before, "packet \(number)")
                before = now
            }
            let last = try #require(before.last)
            #expect(last >= start && last <= .now)
        }
    }

    static func run(_ program: String, on packet: [UInt8]) throws -> Int32 {
        let path = "/sys/fs/bpf/zeropod/pods/one/\(program)"
        let descriptor = Descriptor(owning: try retrying("bpf_obj_get", path) { bpf_obj_get(path) })
        return try packet.withUnsafeBytes { packet in
            var options = bpf_test_run_opts()
            options.sz = MemoryLayout<bpf_test_run_opts>.size
            options.data_in = packet.baseAddress
            options.data_size_in = UInt32(packet.count)
            options.repeat = 1
            try retrying("bpf_prog_test_run") { bpf_prog_test_run_opts(descriptor.rawValue, &options) }
            return Int32(bitPattern: options.retval)
        }
    }
}
