import Glibc
import Linux

/// Ends connections in order. A socket that is closed with unread data sends RST, and the client may lose what was sent
/// to it before; so FIN is sent first, and what the client still sends is read and thrown away until it closes too.
final class Refusal {
    /// Long enough for a client that has seen FIN to answer with its own.
    private static let patience = Instant.Span.seconds(2)

    private let loop: EventLoop
    private var sockets: [Int32: OpenSocket] = [:]

    init(loop: EventLoop) {
        self.loop = loop
    }

    deinit {
        closeAll()
    }

    /// - Parameter onClose: Called when the descriptor is free again.
    func add(_ socket: OpenSocket, onClose: @escaping () -> Void) {
        TCPSocket.endSending(socket.descriptor)
        do {
            try loop.watch(socket.descriptor, .readable) { [unowned self, unowned socket] _ in
                drain(socket, onClose)
            }
        } catch {
            return onClose()
        }
        sockets[socket.number] = socket
        loop.after(Self.patience) { [weak self, weak socket] in
            if let self, let socket { remove(socket, onClose) }
        }
    }

    func closeAll() {
        for number in sockets.keys { loop.unwatch(number) }
        sockets.removeAll()
    }

    private func drain(_ socket: OpenSocket, _ onClose: () -> Void) {
        do {
            if try TCPSocket.discard(socket.descriptor) { remove(socket, onClose) }
        } catch {
            remove(socket, onClose)
        }
    }

    private func remove(_ socket: OpenSocket, _ onClose: () -> Void) {
        guard sockets[socket.number] === socket else { return }
        loop.unwatch(socket.number)
        sockets[socket.number] = nil
        onClose()
    }
}
