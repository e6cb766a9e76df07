import Glibc
import Linux

/// Takes the datagrams of a container that cannot: they wait in the kernel, in the queue of one socket for all UDP ports
/// of the container and both address families, and are sent in again, as they were, when it can.
///
/// They go over lo from a raw socket that says itself whom they are from; the application sees the client's address and
/// port. What is in them only the network thread reads.
package final class HeldDatagrams {
    /// Of kernel memory. More datagrams than fit are lost, as they are in the queue of an application that is slow.
    private static let memory: Int32 = 1 << 20

    private let loop: EventLoop
    private let network: NetworkThread
    private let namespace: Namespace
    private let ports: Set<UInt16>
    private let log: (String) -> Void
    private let socket: OpenSocket
    private var isWatching = false
    private var isDelivering = false
    /// Those that were sent in again.
    package private(set) var delivered = 0

    /// - Parameter ports: The UDP ports of the container.
    package init(
        loop: EventLoop, network: NetworkThread, networkNamespace: borrowing Namespace, ports: Set<UInt16>,
        log: @escaping (String) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.network = network
        self.ports = ports
        self.log = log
        let namespace = try networkNamespace.duplicate()
        socket = try namespace.inside { () throws(SystemError) in
            do throws(SystemError) {
                return OpenSocket(try Self.make(.ipv6))
            } catch {
                // As for the activator's listener.
                guard error.code == EAFNOSUPPORT else { throw error }
                return OpenSocket(try Self.make(.ipv4))
            }
        }
        self.namespace = namespace
    }

    deinit {
        stopWatching()
    }

    private static func make(_ family: SocketAddress.Family) throws(SystemError) -> Descriptor {
        let socket = try UDPSocket.make(family)
        if family == .ipv6 { try TCPSocket.set(.ipv6Only, false, of: socket) }
        try UDPSocket.makeHolder(socket, family, memory: memory)
        try TCPSocket.bind(socket, to: .loopback(.ipv4), for: family)
        return socket
    }

    var descriptor: OpenSocket { socket }

    /// Calls `onDatagram` once, when one waits.
    package func watch(onDatagram: @escaping () -> Void) throws(SystemError) {
        stopWatching()
        try loop.watch(socket.descriptor, .readable) { [weak self] _ in
            self?.stopWatching()
            onDatagram()
        }
        isWatching = true
    }

    private func stopWatching() {
        if isWatching { loop.unwatch(socket.number) }
        isWatching = false
    }

    /// Sends what waits to the application, which must be the one that gets what is sent to its ports now.
    package func deliver() {
        stopWatching()
        if isDelivering { return }
        isDelivering = true
        deliverNext()
    }

    /// Forgets what waits.
    package func discard() {
        stopWatching()
        while (try? UDPSocket.peek(socket.descriptor)) != nil { UDPSocket.skip(socket.descriptor) }
    }

    private func deliverNext() {
        do throws(SystemError) {
            // Held anew, and told of when it is watched: the rest waits for the next time.
            while !isWatching, let envelope = try UDPSocket.peek(socket.descriptor) {
                // Meant for this socket, which has a port as well: sent in again it would be here again, without end.
                guard ports.contains(envelope.destination.port) else {
                    UDPSocket.skip(socket.descriptor)
                    continue
                }
                do throws(SystemError) {
                    return try send(envelope)
                } catch {
                    log("a datagram from \(envelope.source) to \(envelope.destination) is lost: \(error)")
                    UDPSocket.skip(socket.descriptor)
                }
            }
        } catch {
            log("cannot read datagrams that waited: \(error)")
        }
        isDelivering = false
    }

    private func send(_ envelope: UDPSocket.Envelope) throws(SystemError) {
        let raw = try namespace.inside { () throws(SystemError) in
            OpenSocket(try UDPSocket.raw(to: envelope.destination))
        }
        let header = DatagramHeader(envelope)
        try network.begin { [socket] _, done in
            Self.pass(socket, to: raw, header)
            done()
        } then: { [weak self] in
            self?.delivered += 1
            self?.deliverNext()
        }
    }

    /// On the network thread.
    private static func pass(_ socket: OpenSocket, to raw: OpenSocket, _ header: DatagramHeader) {
        // Larger than any datagram. What the application's queue has no room for is lost, as it would have been.
        guard let contents = try? TCPSocket.receive(atMost: 64 << 10, from: socket.descriptor) else { return }
        _ = try? TCPSocket.send(header.packet(with: contents)[...], to: raw.descriptor)
    }
}
