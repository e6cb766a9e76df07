import Glibc
import Linux

/// A listening socket in the loop: accepts what comes from this process's own user.
final class Listener {
    /// When descriptors or memory have run out, accepting again at once would only spin.
    private static let restAfterError = Instant.Span.seconds(1)

    private let loop: EventLoop
    private let socket: Descriptor
    private let log: (String) -> Void
    private let accepted: (consuming Descriptor) throws(SystemError) -> Void
    private var rest: Timer?

    /// - Parameter socket: made non-blocking: a connection that is gone before it is accepted must not stop the loop.
    init(
        loop: EventLoop, socket: consuming Descriptor, log: @escaping (String) -> Void,
        accepted: @escaping (consuming Descriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.socket = socket
        self.log = log
        self.accepted = accepted
        try self.socket.setNonBlocking()
        try loop.watch(self.socket, .readable) { [unowned self] _ in acceptAll() }
    }

    deinit {
        if let rest { loop.cancel(rest) }
        loop.unwatch(socket.rawValue)
    }

    private func acceptAll() {
        do throws(SystemError) {
            while let connection = try UnixSocket.accept(socket) {
                // The socket's mode keeps others out already; this holds where somebody has opened the directory up.
                let user = try UnixSocket.peerUser(connection)
                if user == geteuid() {
                    try accepted(connection)
                } else {
                    log("refused a connection of user \(user)")
                }
            }
        } catch {
            log("accepting: \(error)")
            pause()
        }
    }

    private func pause() {
        let number = socket.rawValue
        try? loop.rewatch(number, [])
        rest = loop.after(Self.restAfterError) { [unowned self] in
            rest = nil
            try? loop.rewatch(number, .readable)
        }
    }
}
