import Glibc
import Linux

/// Takes calls on a listening socket.
package final class Server {
    /// containerd has one or two; the rest is room for tools.
    static let mostConnections = 64
    /// When descriptors or memory have run out, accepting again at once would only spin.
    private static let restAfterError = Instant.Span.seconds(1)

    private let loop: EventLoop
    private let log: (String) -> Void
    private var services: [String: Methods] = [:]
    private var listener: Descriptor?
    private var connections: [UInt64: ServerConnection] = [:]
    private var accepted: UInt64 = 0
    private var rest: Timer?

    /// Called when the last connection has ended.
    package var whenUnused: () -> Void = {}

    package init(loop: EventLoop, log: @escaping (String) -> Void) {
        self.loop = loop
        self.log = log
    }

    deinit {
        stopListening()
        closeConnections()
    }

    /// Answers calls of these methods under this name.
    package func serve(_ service: String, _ methods: Methods) {
        services[service] = methods
    }

    /// Starts to accept. The listener is made non-blocking: a connection that is gone before it is accepted must not
    /// stop the loop.
    package func listen(on listener: consuming Descriptor) throws(SystemError) {
        stopListening()
        try listener.setNonBlocking()
        try loop.watch(listener, .readable) { [unowned self] _ in acceptAll() }
        self.listener = consume listener
    }

    /// Stops to accept and closes the listener. Connections that are there stay.
    package func stopListening() {
        if let rest { loop.cancel(rest) }
        rest = nil
        guard let listener = listener.take() else { return }
        loop.unwatch(listener.rawValue)
    }

    package func closeConnections() {
        for connection in connections.values { connection.close() }
        connections.removeAll()
    }

    package var connectionCount: Int { connections.count }

    /// Bytes held for unfinished frames and unwritten answers.
    var heldMemory: Int { connections.values.reduce(0) { $0 + $1.heldMemory } }

    // MARK: Connections

    private func acceptAll() {
        do throws(SystemError) {
            while let socket = try acceptOne() { try welcome(socket) }
        } catch {
            log("accepting: \(error)")
            pauseListening()
        }
    }

    private func acceptOne() throws(SystemError) -> Descriptor? {
        guard listener != nil else { return nil }
        return try UnixSocket.accept(listener!)
    }

    private func welcome(_ socket: consuming Descriptor) throws(SystemError) {
        // The socket's mode keeps others out already; this holds where somebody has opened the directory up.
        let user = try UnixSocket.peerUser(socket)
        guard user == geteuid() else { return log("refused a connection of user \(user)") }
        guard connections.count < Self.mostConnections else {
            return log("refused a connection: there are \(connections.count)")
        }
        accepted += 1
        let key = accepted
        connections[key] = try ServerConnection(
            loop: loop, socket: socket,
            handler: { [unowned self] in handler($0, $1) },
            ended: { [unowned self] in ended(key, $0) })
    }

    private func pauseListening() {
        guard let number = listener?.rawValue else { return }
        try? loop.rewatch(number, [])
        rest = loop.after(Self.restAfterError) { [unowned self] in
            rest = nil
            try? loop.rewatch(number, .readable)
        }
    }

    private func ended(_ key: UInt64, _ reason: String) {
        if !reason.isEmpty { log("a connection ended: \(reason)") }
        connections.removeValue(forKey: key)?.close()
        if connections.isEmpty { whenUnused() }
    }

    private func handler(_ service: String, _ method: String) -> Result<Methods.Handler, Status> {
        guard let methods = services[service] else {
            return .failure(Status(.unimplemented, "service \(service) is not known"))
        }
        guard let handler = methods[method] else {
            return .failure(Status(.unimplemented, "method \(method) of service \(service) is not known"))
        }
        return .success(handler)
    }
}
