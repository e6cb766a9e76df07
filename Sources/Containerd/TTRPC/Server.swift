import Linux

/// Answers calls that come over a listening socket.
package final class Server {
    /// containerd has one for each container it found here after a restart, and a group of pods may have hundreds.
    package static let mostConnections = 512
    /// Of unfinished messages and unread answers, in bytes, over all connections. A single peer can need 4 MiB for a
    /// message, and for answers that came at once more than it would wait for.
    static let mostHeldMemory = 64 << 20
    /// Over all connections: a Wait for every process of a group of hundreds of pods, several times over.
    static let mostCallsUnderWay = 16 << 10

    private let loop: EventLoop
    private let mostConnections: Int
    private let log: (String) -> Void
    private var services: [String: [String: Handler]] = [:]
    private var listener: Listener?
    private var connections: [UInt64: ServerConnection] = [:]
    private var accepted: UInt64 = 0

    /// Called when the last connection has ended.
    package var whenUnused: () -> Void = {}

    package init(
        loop: EventLoop, mostConnections: Int = Server.mostConnections, log: @escaping (String) -> Void
    ) {
        self.loop = loop
        self.mostConnections = mostConnections
        self.log = log
    }

    /// Has the calls of a method answered by `handler`.
    package func register(service: String, method: String, _ handler: @escaping Handler) {
        services[service, default: [:]][method] = handler
    }

    /// Starts to accept connections.
    package func listen(on socket: consuming Descriptor) throws(SystemError) {
        listener = nil
        listener = try Listener(loop: loop, socket: socket, log: log) { [unowned self] connection throws(SystemError) in
            try welcome(connection)
        }
    }

    /// Stops to accept and closes the listening socket. Connections that are there stay.
    package func stopListening() {
        listener = nil
    }

    package func closeConnections() {
        for connection in connections.values { connection.close() }
        connections.removeAll()
    }

    package var connectionCount: Int { connections.count }

    /// Bytes held for unfinished frames and unwritten answers.
    var heldMemory: Int { connections.values.reduce(0) { $0 + $1.heldMemory } }

    private func welcome(_ socket: consuming Descriptor) throws(SystemError) {
        if connections.count >= mostConnections { endSilentConnection() }
        guard connections.count < mostConnections else {
            return log("refused a connection: there are \(connections.count)")
        }
        accepted += 1
        let key = accepted
        connections[key] = try ServerConnection(
            loop: loop, socket: socket,
            handler: { [unowned self] in handler($0, $1) },
            isCrowded: { [unowned self] in
                connections.values.reduce(0) { $0 + $1.callsUnderWay } >= Self.mostCallsUnderWay
            },
            holdsMore: { [unowned self] in boundMemory() },
            ended: { [unowned self] in ended(key, $0) })
    }

    /// Makes room: whoever has asked for nothing yet waits the longest for nothing. containerd calls at once.
    private func endSilentConnection() {
        let silent = connections.filter { !$0.value.hasCalled }.min { $0.key < $1.key }
        silent?.value.end("it has asked for nothing, and there are \(connections.count)")
    }

    /// The peer that makes us hold the most is given up before memory runs out for all containers of the pod.
    private func boundMemory() {
        if heldMemory <= Self.mostHeldMemory { return }
        let largest = connections.values.max { $0.heldMemory < $1.heldMemory }
        largest?.end("\(heldMemory) bytes of unfinished messages and unread answers, most of them its own")
    }

    private func ended(_ key: UInt64, _ reason: String) {
        if !reason.isEmpty { log("a connection ended: \(reason)") }
        connections.removeValue(forKey: key)?.close()
        // What a peer made us hold lies between what others need.
        Memory.giveBack()
        if connections.isEmpty { whenUnused() }
    }

    private func handler(_ service: String, _ method: String) -> Result<Handler, Status> {
        guard let methods = services[service] else {
            return .failure(Status(.unimplemented, "service \(service) is not known"))
        }
        guard let handler = methods[method] else {
            return .failure(Status(.unimplemented, "method \(method) of service \(service) is not known"))
        }
        return .success(handler)
    }
}
