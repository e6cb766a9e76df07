import Glibc
import Linux

/// Copies bytes between pairs of sockets, both ways, as long as both ends want.
///
/// Lives on the network thread, and so needs nothing but the sockets it is given and its loop: no files, no namespaces, no
/// new descriptors.
package final class Relay {
    private let loop: EventLoop
    private var connections: [ObjectIdentifier: RelayedConnection] = [:]
    private var buffer: RelayBuffer?

    package init(loop: EventLoop) {
        self.loop = loop
    }

    package var count: Int { connections.count }

    /// Takes over two connected, non-blocking sockets.
    ///
    /// - Parameters:
    ///   - limit: How long the connection may last; it is reset then. nil: as long as both ends want.
    ///   - onClose: Called once, when the connection is over.
    func add(
        client: OpenSocket, application: OpenSocket, limit: Instant.Span? = nil, onClose: @escaping () -> Void
    ) {
        let buffer = self.buffer ?? RelayBuffer()
        self.buffer = buffer
        let connection = RelayedConnection(loop: loop, buffer: buffer, client, application)
        connections[ObjectIdentifier(connection)] = connection
        let key = ObjectIdentifier(connection)
        let timer = limit.map { loop.after($0) { [weak connection] in connection?.reset() } }
        connection.start { [weak self] in
            if let self, let timer { loop.cancel(timer) }
            self?.forget(key)
            onClose()
        }
    }

    private func forget(_ key: ObjectIdentifier) {
        connections[key] = nil
        // A relay at rest holds no memory.
        if connections.isEmpty { buffer = nil }
    }

    deinit {
        closeAll()
    }

    /// Resets all connections.
    package func closeAll() {
        for connection in connections.values { connection.reset() }
    }
}

/// What passes through between two calls of the kernel, shared by all connections. Mapped, so that it goes back to the
/// kernel when the last connection does.
final class RelayBuffer {
    private static let size = 64 << 10
    let bytes: UnsafeMutableRawBufferPointer

    init() {
        let start = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        if let start, start != MAP_FAILED {
            bytes = UnsafeMutableRawBufferPointer(start: start, count: Self.size)
        } else {
            bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
    }

    deinit {
        munmap(bytes.baseAddress, bytes.count)
    }
}
