import CDataPath
import Linux
import Synchronization

/// The open connections of a pod's containers while their processes stand still or are away: the ingress program holds
/// their packets (`bpf/connections.h`). Any thread may use it.
package final class HeldConnections: Sendable {
    /// Where a connection stood when its processes went.
    package struct Standing: Equatable, Sendable {
        /// The sequence numbers that the peer goes on with, and the own one.
        package var received: UInt32
        package var sent: UInt32
        /// The last own timestamp; nil if the connection has none.
        package var timestamp: UInt32?
        /// As it stands in headers.
        package var window: UInt16
        /// Whether the application has not read all.
        package var isUnread: Bool

        package init(received: UInt32, sent: UInt32, timestamp: UInt32?, window: UInt16, isUnread: Bool) {
            self.received = received
            self.sent = sent
            self.timestamp = timestamp
            self.window = window
            self.isUnread = isUnread
        }
    }

    private let connections: PinnedMap<zp_flow, zp_connection>
    private let holding: PinnedMap<UInt32, UInt32>
    /// By container, and by socket. Of one there are two, the second translated, where NAT changes its packets.
    private let held = Mutex<[UInt32: [UInt64: [TCPConnection]]]>([:])

    init(_ pins: PodPins) throws(SystemError) {
        connections = try PinnedMap(pins.path(.connections))
        holding = try PinnedMap(pins.path(.holding))
    }

    /// The processes stand still: from the return of this call on no packet reaches the connections.
    package func hold(_ open: [TCPConnection], slot: UInt32) throws(SystemError) {
        try change { $0[slot] = Dictionary(grouping: open, by: \.inode) }
        do throws(SystemError) {
            for connection in open {
                try connections.set(Self.key(connection), to: zp_connection(connection, slot: slot, state: ZP_STOPPED))
            }
        } catch {
            try letGo(slot: slot)
            throw error
        }
    }

    /// The processes are about to go. Connections that do not stand anywhere are closed, and left alone.
    ///
    /// - Parameter standings: by socket.
    /// - Returns: false if a packet has come meanwhile that they have to see.
    package func leave(_ standings: [UInt64: Standing], slot: UInt32) throws(SystemError) -> Bool {
        if isWanted(slot: slot) { return false }
        for connection in all(of: slot) {
            let key = Self.key(connection)
            guard let standing = standings[connection.inode] else {
                try connections.remove(key)
                continue
            }
            var value = zp_connection(connection, slot: slot, state: ZP_AWAY)
            value.is_owed = standing.isUnread || !connection.isOpen ? 1 : 0
            value.received = standing.received
            value.sent = standing.sent
            value.timestamp = standing.timestamp ?? 0
            value.has_timestamps = standing.timestamp == nil ? 0 : 1
            value.window = standing.window
            try connections.set(key, to: value)
        }
        return true
    }

    /// Whether a packet has come that the application has to see.
    package func isWanted(slot: UInt32) -> Bool {
        all(of: slot).contains { connections[Self.key($0)]?.is_wanted == 1 }
    }

    /// The processes run again, or never will: packets reach the sockets, or are refused for want of one.
    package func letGo(slot: UInt32) throws(SystemError) {
        if held.withLock({ $0[slot] == nil }) { return }
        let open = all(of: slot)
        try change { $0[slot] = nil }
        for connection in open { try connections.remove(Self.key(connection)) }
    }

    /// A packet for the peer of each connection whose processes are away, as if its socket were reset.
    package func resets(slot: UInt32) -> [[UInt8]] {
        // As the socket would send it: then NAT does the rest.
        held.withLock { $0[slot] ?? [:] }.values.compactMap(\.last).compactMap { connection in
            guard let value = connections[Self.key(connection)], value.state == ZP_AWAY.rawValue else { return nil }
            return RawPackets.reset(
                from: connection.local, to: connection.remote, sequence: value.sent, acknowledging: value.received)
        }
    }

    /// How many a container has, and how many keep-alive probes were answered for it since its processes went.
    package func counts(slot: UInt32) -> (open: Int, answered: Int) {
        let held = all(of: slot).compactMap { connection in connections[Self.key(connection)].map { (connection, $0) } }
        return (held.count { !$0.0.isTranslated }, held.map(\.1).reduce(0) { $0 + Int($1.answered) })
    }

    private func all(of slot: UInt32) -> [TCPConnection] {
        held.withLock { $0[slot] ?? [:] }.values.flatMap(\.self)
    }

    private func change(_ body: (inout [UInt32: [UInt64: [TCPConnection]]]) -> Void) throws(SystemError) {
        let result = held.withLock { held in
            body(&held)
            let count = UInt32(held.values.count { !$0.isEmpty })
            return Result { () throws(SystemError) in _ = try holding.set(0, to: count) }
        }
        try result.get()
    }

    private static func key(_ connection: TCPConnection) -> zp_flow {
        zp_flow(
            remote: address(connection.remote), local: address(connection.local),
            remote_port: connection.remote.port.bigEndian, local_port: connection.local.port.bigEndian)
    }

    private static func address(_ address: SocketAddress) -> zp_address {
        withUnsafeBytes(of: address.address.bigEndian) { $0.loadUnaligned(as: zp_address.self) }
    }
}

extension zp_connection {
    fileprivate init(_ connection: TCPConnection, slot: UInt32, state: zp_connection_state) {
        self.init()
        is_translated = connection.isTranslated ? 1 : 0
        self.slot = slot
        self.state = state.rawValue
    }
}
