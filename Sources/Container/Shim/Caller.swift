import DataPath
import Glibc
import Linux

/// Who wanted something of a container, and by which way. For people and for metrics; nothing is decided by it.
package struct Caller: Sendable, CustomStringConvertible {
    package enum Way: String, CaseIterable, Sendable {
        /// A new TCP connection.
        case connection
        /// Something came over a connection that was open, or its end.
        case data
        case datagram
        /// A unix socket or a named pipe.
        case local
        /// A process that is started in the container, or joins its process namespace: `kubectl exec`, an exec probe, …
        case exec
        case signal
        /// `zeropod wake`.
        case command
        /// The clock: `wake-at`.
        case time
        /// Somebody makes an image of the container.
        case export
        /// It cannot be told.
        case other
    }

    package let way: Way
    /// The other end.
    package var peer: SocketAddress?
    /// The container's port; of a connection that the container has made, the peer's.
    package var port: UInt16 = 0
    /// The container has made the connection.
    package var isOutgoing = false
    package var at = WallClockTime.now

    init(_ way: Way, _ peer: SocketAddress? = nil, port: UInt16 = 0, isOutgoing: Bool = false) {
        (self.way, self.peer, self.port, self.isOutgoing) = (way, peer, port, isOutgoing)
    }

    /// - Parameter listening: ports that the container serves.
    init(_ connection: TCPConnection, listening: Set<UInt16>) {
        let serves = listening.contains(connection.local.port)
        self.init(
            .data, connection.remote, port: serves ? connection.local.port : connection.remote.port, isOutgoing: !serves
        )
    }

    package var description: String {
        let from = peer.map { " from \($0)" } ?? ""
        let to = port == 0 || way == .local ? "" : " to port \(port)"
        switch way {
        case .connection: return "a connection\(from)\(to)"
        case .data where isOutgoing: return "data\(from), over a connection that it has made"
        case .data: return "data\(from)\(to)"
        case .datagram: return "a datagram\(from)\(to)"
        case .local: return "something at a unix socket or named pipe"
        case .exec: return "a process that was to start in it (exec)"
        case .signal: return "a signal"
        case .command: return "a person (zeropod wake)"
        case .time: return "the clock (wake-at)"
        case .export: return "somebody who makes an image of it"
        case .other: return "somebody or something that cannot be told"
        }
    }
}

extension Traffic {
    /// The caller that has come while the processes are away. What it asks is not touched: that is for the application.
    var caller: Caller {
        if let arrival = endpoints.arrival() { return caller(arrival.endpoint, arrival.peer) }
        if let peer = activator.firstToTake { return Caller(.connection, peer.from, port: peer.to.port) }
        return waitingConnection(to: declared.subtracting(passivePorts)) ?? Caller(.other)
    }

    private func caller(_ endpoint: Endpoint, _ peer: SocketAddress?) -> Caller {
        switch endpoint {
        case .listener(let port): waitingConnection(to: [port]) ?? Caller(.connection, port: port)
        case .connection(let port):
            if let peer {
                endpoints.ports.contains(port)
                    ? Caller(.data, peer, port: port) : Caller(.data, peer, port: peer.port, isOutgoing: true)
            } else {
                // The connection has been reset.
                Caller(.data, port: port)
            }
        case .datagrams(let port): Caller(.datagram, peer, port: port)
        case .local: Caller(.local)
        case .other: Caller(.other)
        }
    }

    /// A connection that nobody has accepted, and that its client has not given up if there is such a one.
    private func waitingConnection(to ports: Set<UInt16>) -> Caller? {
        let all = (try? openConnections())?.filter { $0.inode == 0 && ports.contains($0.local.port) }
        let waiting = all?.first { !$0.wasGivenUp } ?? all?.first
        return waiting.map { Caller(.connection, $0.remote, port: $0.local.port) }
    }
}
