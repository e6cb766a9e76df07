import Glibc

/// `/proc/PID/net/tcp` and `tcp6`: the TCP sockets of the network namespace that a process is in.
package enum TCPSocketTable {
    package struct Entry: Equatable, Sendable {
        package let localPort: UInt16
        /// A `TCP_…` state of <net/tcp_states.h>; 10 is LISTEN.
        package let state: UInt8
        package let inode: UInt64

        package static let listening: UInt8 = 10
    }

    package static func entries(ofNetworkOf pid: pid_t) throws(SystemError) -> [Entry] {
        var entries = parse(try Files.readText("/proc/\(pid)/net/tcp"))
        // Absent when the kernel has IPv6 switched off.
        if let six = try? Files.readText("/proc/\(pid)/net/tcp6") { entries += parse(six) }
        return entries
    }

    /// Columns: `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode`
    /// (net/ipv4/tcp_ipv4.c, get_tcp4_sock).
    package static func parse(_ text: String) -> [Entry] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, let colon = fields[1].lastIndex(of: ":"),
                let port = UInt16(fields[1][fields[1].index(after: colon)...], radix: 16),
                let state = UInt8(fields[3], radix: 16), let inode = UInt64(fields[9])
            else { return nil }
            return Entry(localPort: port, state: state, inode: inode)
        }
    }

    /// The ports that these processes listen on. A listener that several of them share counts once.
    package static func listeningPorts(of pids: [pid_t]) throws(SystemError) -> Set<UInt16> {
        guard let first = pids.first else { return [] }
        var held: Set<UInt64> = []
        for pid in pids { held.formUnion(Process.socketInodes(of: pid)) }
        let listening = try entries(ofNetworkOf: first).filter {
            $0.state == Entry.listening && held.contains($0.inode)
        }
        return Set(listening.map(\.localPort))
    }
}
