import Glibc
import Linux

/// IP packets in two parts.
enum Fragments {
    /// Cuts a packet, from its IP header on, after `cut` bytes of TCP: a multiple of 8.
    ///
    /// - Parameter options: With IPv6, destination options stand before TCP.
    static func cut(
        _ packet: [UInt8], at cut: Int, identification: UInt16, options: Bool = false
    ) -> [[UInt8]] {
        let isIPv4 = packet[0] >> 4 == 4
        let length = isIPv4 ? 20 : 40
        var payload = Array(packet[length...])
        var cut = cut
        if options && !isIPv4 {
            payload = ParsingTests.extra(next: 6) + payload
            cut += 8
        }
        return [(0, payload[..<cut], true), (cut, payload[cut...], false)].map { offset, part, isMore in
            var header = Array(packet[..<length])
            if isIPv4 {
                header.replaceSubrange(2..<4, with: ParsingTests.big(UInt16(20 + part.count)))
                header.replaceSubrange(4..<6, with: ParsingTests.big(identification))
                header.replaceSubrange(6..<8, with: ParsingTests.big(UInt16(offset / 8) | (isMore ? 0x2000 : 0)))
                return header + part
            }
            header.replaceSubrange(4..<6, with: ParsingTests.big(UInt16(8 + part.count)))
            header[6] = ParsingTests.fragmentHeader
            let next: UInt8 = options ? ParsingTests.options : 6
            let fragment =
                [next, 0] + ParsingTests.big(UInt16(offset) | (isMore ? 1 : 0)) + [0, 0]
                + ParsingTests.big(identification)
            return header + fragment + part
        }
    }

    /// Sends a packet as it is, but for IPv4's own checksum.
    ///
    /// - Parameter destination: Without a port: of raw sockets that is a protocol.
    static func send(_ packet: [UInt8], to destination: SocketAddress) throws {
        let socket = Descriptor(
            owning: try retrying("socket(raw)") {
                Glibc.socket(
                    destination.family == .ipv4 ? AF_INET : AF_INET6, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_RAW))
            })
        try retrying("sendto", "\(destination)") {
            destination.withPointer {
                sendto(socket.rawValue, packet, packet.count, 0, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1)
            }
        }
    }

    /// How many packets the kernel of a namespace has put together, and how many parts it was given.
    static func reassembled(in pod: TestPod, ipv6: Bool) throws -> (whole: Int, parts: Int) {
        let file = ipv6 ? "/proc/net/snmp6" : "/proc/net/snmp"
        let text = try sh("ip netns exec \(pod.name) cat \(file)")
        let lines = text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
        func count(_ name: String) -> Int {
            if ipv6 { return lines.first { $0.first == "Ip6\(name)" }.flatMap { Int($0[1]) } ?? 0 }
            let two = lines.filter { $0.first == "Ip:" }
            guard two.count == 2, let column = two[0].firstIndex(of: Substring(name)) else { return 0 }
            return Int(two[1][column]) ?? 0
        }
        return (count("ReasmOKs"), count("ReasmReqds"))
    }
}
