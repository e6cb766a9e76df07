import Glibc
import Linux
import Synchronization

/// Tells when something comes for processes that are away or stand still: a connection, data, a datagram, somebody at a
/// unix socket or a named pipe. It is one poll: what comes waits in the kernel, acknowledged, for the application itself.
///
/// What was there before and was not read does not count, only that more comes: some applications leave things unread for
/// long.
package final class EndpointWatch: Sendable {
    private let readable: ReadableSet
    private let listeners: [Int32]
    /// Those of TCP on which somebody listens.
    package let ports: Set<UInt16>
    /// How many connections are open.
    package let connections: Int

    /// - Parameter numbers: descriptors of this process. They stay open as long as this is used.
    package init(_ numbers: [Int32], _ policy: WakePolicy) throws(SystemError) {
        let readable = try ReadableSet()
        var (listeners, ports, connections) = ([Int32](), Set<UInt16>(), 0)
        for number in numbers {
            let endpoint = Endpoint(of: number)
            switch endpoint {
            case .listener(let port):
                listeners.append(number)
                ports.insert(port)
            case .connection: connections += 1
            default: break
            }
            if policy.wakes(endpoint) { try readable.add(number) }
        }
        self.readable = readable
        self.listeners = listeners
        self.ports = ports
        self.connections = connections
    }

    /// What can be read now and could not when this was last asked. The first answer has all that can be read.
    package func takeReadable() throws(SystemError) -> [Int32] { try readable.take() }

    /// Calls `onArrival` once, when something comes. On the loop's thread, as `stop`.
    package func start(_ loop: EventLoop, onArrival: @escaping () -> Void) throws(SystemError) {
        let number = readable.descriptor.rawValue
        try loop.watch(readable.descriptor, .readable) { _ in
            loop.unwatch(number)
            onArrival()
        }
    }

    package func stop(_ loop: EventLoop) { loop.unwatch(readable.descriptor.rawValue) }

    /// How many connections wait to be accepted.
    package var waiting: Int {
        listeners.reduce(0) { $0 + TCPSocket.waitingConnections($1) }
    }

    // MARK: Long queues

    /// Lets more connections wait than the application has asked for: thousands of clients may come in the tens of
    /// milliseconds of a wake. In the network namespace of the sockets.
    /// - Returns: how to undo it.
    package func lengthenQueues() -> [QueueLength] {
        listeners.compactMap { number in
            let before = QueueLength(listener: number, length: TCPSocket.queueLength(number))
            return LongQueue.lengthen(number) ? before : nil
        }
    }
}

/// How many connections may wait in a listening socket (listen(2)).
package struct QueueLength: Sendable {
    let listener: Int32
    let length: Int32

    /// What the application has asked for holds again.
    package func restore() { _ = Glibc.listen(listener, length) }
}
