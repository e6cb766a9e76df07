import Glibc
import Linux

/// One relayed connection: two sockets, and for each direction at most one buffer's worth of bytes that were read from
/// one and that the other does not take yet. A sender whose receiver is slow is not read any further, so that its own
/// window closes.
///
/// An end of sending (FIN) is passed on after the last byte, each direction for itself. A reset is passed on at once.
final class RelayedConnection {
    private final class End {
        let socket: OpenSocket
        /// Read from the other end, not taken by this one yet.
        var unsent: ArraySlice<UInt8> = []
        /// This end sent FIN.
        var hasEnded = false
        /// FIN was sent to this end.
        var wasEnded = false
        /// What the socket is watched for; nil if it is not watched.
        var interest: EventLoop.Interest?

        init(_ socket: OpenSocket) { self.socket = socket }
    }

    private let loop: EventLoop
    private let buffer: RelayBuffer
    private let client: End
    private let application: End
    private var onClose: (() -> Void)?

    init(loop: EventLoop, buffer: RelayBuffer, _ client: OpenSocket, _ application: OpenSocket) {
        self.loop = loop
        self.buffer = buffer
        self.client = End(client)
        self.application = End(application)
    }

    func start(onClose: @escaping () -> Void) {
        self.onClose = onClose
        update()
    }

    /// Breaks the connection for both ends.
    func reset() {
        TCPSocket.resetOnClose(client.socket.descriptor)
        TCPSocket.resetOnClose(application.socket.descriptor)
        close()
    }

    private func close() {
        for end in [client, application] {
            loop.unwatch(end.socket.number)
            end.interest = nil
        }
        // The owner lets go of this object now, and so of the sockets.
        let callback = onClose
        onClose = nil
        callback?()
    }

    // MARK: Events

    private func handle(_ events: EventLoop.Interest, of end: End, other: End) {
        do throws(SystemError) {
            if !events.isDisjoint(with: .error) {
                throw SystemError("relay", code: TCPSocket.takeError(end.socket.descriptor))
            }
            if events.contains(.writable) { try flush(to: end) }
            if !end.hasEnded && other.unsent.isEmpty { try pass(from: end, to: other) }
        } catch {
            return reset()
        }
        if client.wasEnded && application.wasEnded { return close() }
        update()
    }

    /// One buffer at a time: the other connections of the loop have their turn in between.
    private func pass(from source: End, to target: End) throws(SystemError) {
        guard let count = try TCPSocket.receive(into: buffer.bytes, from: source.socket.descriptor) else { return }
        if count == 0 {
            source.hasEnded = true
            // Nothing is unsent: else nothing would have been read.
            target.wasEnded = true
            return TCPSocket.endSending(target.socket.descriptor)
        }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count])
        let sent = try TCPSocket.send(bytes, to: target.socket.descriptor) ?? 0
        if sent < count { target.unsent = ArraySlice(bytes[sent...]) }
    }

    private func flush(to target: End) throws(SystemError) {
        if target.unsent.isEmpty { return }
        let sent = try TCPSocket.send(target.unsent, to: target.socket.descriptor) ?? 0
        target.unsent = sent == target.unsent.count ? [] : target.unsent.dropFirst(sent)
    }

    // MARK: What to wait for

    private func update() {
        do throws(SystemError) {
            try update(client, other: application)
            try update(application, other: client)
        } catch {
            reset()
        }
    }

    private func update(_ end: End, other: End) throws(SystemError) {
        var wanted: EventLoop.Interest = []
        if !end.hasEnded && other.unsent.isEmpty { wanted.insert(.readable) }
        if !end.unsent.isEmpty { wanted.insert(.writable) }

        // With nothing wanted only a reset is waited for. But a socket that was ended both ways, FIN unread or not,
        // reports that for ever (EPOLLHUP cannot be masked): then it is left alone until something is wanted.
        if wanted.isEmpty && end.wasEnded {
            if end.interest != nil { loop.unwatch(end.socket.number) }
            end.interest = nil
            return
        }
        if end.interest == wanted { return }
        if end.interest == nil {
            try loop.watch(end.socket.descriptor, wanted) { [unowned self] events in
                handle(events, of: end, other: other)
            }
        } else {
            try loop.rewatch(end.socket.number, wanted)
        }
        end.interest = wanted
    }
}
