import Glibc
import Linux

/// Ends connections in order. A socket that is closed with unread data sends RST, and the client may lose what was sent
/// to it before; so FIN is sent first, and what the client still sends is read and thrown away until it closes too. Lives
/// on the network thread.
final class Refusal {
    /// Long enough for a client that has seen FIN to answer with its own.
    private static let patience = Instant.Span.seconds(2)

    private let loop: EventLoop
    private var sockets: [Int32: (socket: OpenSocket, onClose: () -> Void)] = [:]

    init(loop: EventLoop) {
        self.loop = loop
    }

    deinit {
        closeAll()
    }

    /// - Parameter onClose: Called once, when the descriptor is about to be free again.
    func add(_ socket: OpenSocket, onClose: @escaping () -> Void) {
        TCPSocket.endSending(socket.descriptor)
        do {
            try loop.watch(socket.descriptor, .readable) { [unowned self, unowned socket] _ in
                drain(socket)
            }
        } catch {
            return onClose()
        }
        sockets[socket.number] = (socket, onClose)
        loop.after(Self.patience) { [weak self, weak socket] in
            if let self, let socket { remove(socket) }
        }
    }

    func closeAll() {
        for (socket, _) in sockets.values { remove(socket) }
    }

    private func drain(_ socket: OpenSocket) {
        do {
            if try TCPSocket.discard(socket.descriptor) { remove(socket) }
        } catch {
            remove(socket)
        }
    }

    private func remove(_ socket: OpenSocket) {
        guard let entry = sockets[socket.number], entry.socket === socket else { return }
        loop.unwatch(socket.number)
        sockets[socket.number] = nil
        entry.onClose()
    }
}
