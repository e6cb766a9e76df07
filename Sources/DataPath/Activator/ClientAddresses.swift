import Glibc
import Linux

/// Lets a relay connect to the application from its clients' own addresses, so that the application sees who called.
///
/// The relay's socket is bound to the client's address (IP_TRANSPARENT) and marked. The application's end of the
/// connection takes the mark over (`net.ipv4.tcp_fwmark_accept`), and so do resets (`fwmark_reflect`); a rule leads what
/// has it back to lo. Else it would be routed to the real client.
///
/// The port is another than the client's: with that, the four numbers would be those of the connection that the client
/// has to the activator. It lies below the range that clients usually take theirs from, lest a later connection of the
/// same client meets it.
///
/// One for each pod: rule and sysctl are the network namespace's.
package final class ClientAddresses {
    /// "zp". Of the marks in a pod's network namespace those of service meshes are known (1337 and the like).
    private static let mark: UInt32 = 0x7a70
    private static let table: UInt32 = 0x7a70
    private static let ports: Range<UInt16> = 10_000..<32_768
    private static let mostAttempts = 64

    /// How many relayed connections there are, or are being made.
    var users = 0
    private let log: (String) -> Void
    /// The families that the pod is prepared for.
    private var families: Set<SocketAddress.Family> = []
    /// Sysctls of the pod that were changed, with what they were before.
    private var settings: [String: String] = [:]
    private var nextPort = ports.randomElement() ?? ports.lowerBound
    private var hasComplained = false

    package init(log: @escaping (String) -> Void) {
        self.log = log
    }

    /// Binds a socket of the pod's to a client's address; in the pod's network namespace. Where that is not possible it
    /// is left as it is, and the reason is told once.
    func bind(_ socket: borrowing Descriptor, to client: SocketAddress) {
        // A link-local address means nothing on lo.
        if client.scope != 0 { return }
        do throws(SystemError) {
            try prepare(client.family)
            try TCPSocket.set(.transparent(client.family), true, of: socket)
            try TCPSocket.setMark(Self.mark, of: socket)
            try bindToFreePort(socket, client)
        } catch {
            if !hasComplained { log("relayed connections show an address of the pod as their client's: \(error)") }
            hasComplained = true
        }
    }

    private func bindToFreePort(_ socket: borrowing Descriptor, _ client: SocketAddress) throws(SystemError) {
        for attempt in 1...Self.mostAttempts {
            nextPort = nextPort + 1 < Self.ports.upperBound ? nextPort + 1 : Self.ports.lowerBound
            do {
                return try TCPSocket.bind(socket, to: client.with(port: nextPort))
            } catch {
                if error.code != EADDRINUSE || attempt == Self.mostAttempts { throw error }
            }
        }
    }

    private func prepare(_ family: SocketAddress.Family) throws(SystemError) {
        if families.contains(family) { return }
        let reflect = "/proc/sys/net/\(family == .ipv4 ? "ipv4" : "ipv6")/fwmark_reflect"
        for name in ["/proc/sys/net/ipv4/tcp_fwmark_accept", reflect] where settings[name] == nil {
            settings[name] = try Files.readText(name)
            try Files.write("1", to: name)
        }
        try MarkedPackets.keep(family, mark: Self.mark, table: Self.table)
        families.insert(family)
    }

    /// Leaves the pod's network namespace as it was, unless there are relayed connections, which would end. Not right
    /// after the last one: the kernel may still have to deliver what it was given.
    func tidy(_ network: borrowing Namespace) throws(SystemError) {
        if users > 0 || settings.isEmpty { return }
        try network.inside { () throws(SystemError) in remove() }
    }

    private func remove() {
        for family in families { MarkedPackets.keepNoMore(family, mark: Self.mark, table: Self.table) }
        for (name, value) in settings { try? Files.write(value, to: name) }
        families = []
        settings = [:]
    }
}
