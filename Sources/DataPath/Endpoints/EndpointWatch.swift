import Glibc
import Linux
import Synchronization

/// Tells when something comes for processes that are away or stand still: a connection, data, a datagram, somebody at a
/// unix socket or a named pipe. It is one poll: what comes waits in the kernel, acknowledged, for the application itself.
///
/// Unread data that was there before does not count, only new data does: some applications leave things unread for
/// long.
package final class EndpointWatch: Sendable {
    private let readable: ReadableSet
    private let listeners: [Listener]
    /// TCP ports on which somebody listens.
    package var ports: Set<UInt16> { Set(listeners.map(\.port)) }
    /// How many connections are open.
    package let connections: Int

    /// - Parameter numbers: descriptors of this process. They stay open as long as this is used.
    package init(_ numbers: [Int32], _ policy: WakePolicy) throws(SystemError) {
        let readable = try ReadableSet()
        var (listeners, connections) = ([Listener](), 0)
        for number in numbers {
            let endpoint = Endpoint(of: number)
            switch endpoint {
            case .listener(let port):
                listeners.append(Listener(number: number, port: port))
            case .connection: connections += 1
            default: break
            }
            if policy.wakes(endpoint, number) { try readable.add(number) }
        }
        self.readable = readable
        self.listeners = listeners
        self.connections = connections
    }

    /// The descriptors that can be read now and could not be when this was last called. The first call returns all that
    /// can be read.
    package func takeReadable() throws(SystemError) -> [Int32] { try readable.take() }

    /// Calls `onArrival` once, when something comes that is wanted. On the loop's thread, as `stop`.
    ///
    /// - Parameter isWanted: takes what can be read.
    package func start(
        _ loop: EventLoop, isWanted: @escaping () -> Bool = { true }, onArrival: @escaping () -> Void
    ) throws(SystemError) {
        let number = readable.descriptor.rawValue
        try loop.watch(readable.descriptor, .readable) { _ in
            guard isWanted() else { return }
            loop.unwatch(number)
            onArrival()
        }
    }

    package func stop(_ loop: EventLoop) { loop.unwatch(readable.descriptor.rawValue) }

    /// How many connections wait to be accepted.
    package var waiting: Int {
        listeners.reduce(0) { $0 + TCPSocket.waitingConnections($1.number) }
    }

    /// The same of one port, and how many may wait on each of its sockets.
    package func queue(of port: UInt16) -> (waiting: Int, length: Int) {
        let numbers = listeners.filter { $0.port == port }.map(\.number)
        let lengths = numbers.map { Int(TCPSocket.queueLength($0)) }
        return (numbers.reduce(0) { $0 + TCPSocket.waitingConnections($1) }, lengths.min() ?? 0)
    }

    // MARK: Long queues

    /// Lets more connections wait than the application has asked for: thousands of clients may come in the tens of
    /// milliseconds of a wake. In the network namespace of the sockets.
    /// - Returns: how to undo it.
    package func lengthenQueues() -> [QueueLength] {
        listeners.compactMap { listener in
            let number = listener.number
            let before = QueueLength(listener: number, length: TCPSocket.queueLength(number))
            return LongQueue.lengthen(number) ? before : nil
        }
    }

    // MARK: Silent connections

    /// Has the kernel keep connections to some ports until their clients have said something, or have been silent for a
    /// second. Those whose application has asked for that itself stay as they are.
    /// - Returns: how to undo it.
    package func awaitWords(on ports: Set<UInt16>) -> [SilentConnections] {
        listeners.compactMap { listener in
            guard ports.contains(listener.port), TCPSocket.deferral(of: listener.number) == 0,
                TCPSocket.setDeferral(of: listener.number, seconds: 1)
            else { return nil }
            return SilentConnections(listener: listener.number)
        }
    }
}

/// A descriptor of this process, and where it listens.
private struct Listener {
    let number: Int32
    let port: UInt16
}

/// Connections that a listening socket is not told of, since their clients have said nothing yet.
package struct SilentConnections: Sendable {
    let listener: Int32

    /// From now on the listener is told of all connections; of those that are silent, within a second.
    package func restore() { TCPSocket.setDeferral(of: listener, seconds: 0) }
}

/// How many connections may wait in a listening socket (listen(2)).
package struct QueueLength: Sendable {
    let listener: Int32
    let length: Int32

    /// Gives the listener the length again that the application has asked for.
    package func restore() { _ = Glibc.listen(listener, length) }
}
