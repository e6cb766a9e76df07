import Linux

/// A socket that frames come from and go to. Both ends of a call use it.
///
/// Owns its descriptor. Who owns the connection is told of frames and of the end, and lets go of it then; after the end
/// nothing is told any more and nothing is sent.
final class Connection {
    /// While this much waits to be written, nothing is read and nothing that was read is handled: a peer that asks
    /// without reading the answers stops itself.
    static let writeBacklog = 1 << 20
    /// Answers to calls that were under way already can still pile up behind that. Past this the peer is given up.
    static let mostUnwritten = 32 << 20
    private static let readSize = 8 << 10

    private let loop: EventLoop
    private let socket: Descriptor
    private let received: (FrameDecoder.Event) -> Void
    private let holdsMore: () -> Void
    private let ended: (String) -> Void
    private var decoder = FrameDecoder()
    private var unhandled: ArraySlice<FrameDecoder.Event> = []
    private var output = OutputQueue()
    private var interest: EventLoop.Interest = .readable
    private var isFlushDue = false
    private(set) var isOpen = true

    /// - Parameters:
    ///   - socket: connected; made non-blocking here.
    ///   - received: called for every frame.
    ///   - holdsMore: called when a round has left much in memory.
    ///   - ended: called once, with the reason, unless `close` was called first. Empty: the peer closed between frames.
    init(
        loop: EventLoop, socket: consuming Descriptor, received: @escaping (FrameDecoder.Event) -> Void,
        holdsMore: @escaping () -> Void = {}, ended: @escaping (String) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.socket = socket
        self.received = received
        self.holdsMore = holdsMore
        self.ended = ended
        try self.socket.setNonBlocking()
        try loop.watch(self.socket, interest) { [unowned self] in ready($0) }
    }

    deinit {
        close()
    }

    /// Takes the connection out of the loop. The descriptor is closed when the last reference goes.
    func close() {
        if !isOpen { return }
        isOpen = false
        loop.unwatch(socket.rawValue)
        decoder = FrameDecoder()
        unhandled = []
        output = OutputQueue()
    }

    /// Ends the connection from this side and tells the owner so.
    func end(_ reason: String) {
        if !isOpen { return }
        close()
        ended(reason)
    }

    /// Bytes held for unfinished frames and unwritten answers.
    var heldMemory: Int { decoder.heldMemory + output.count }

    // MARK: Writing

    /// Sends a frame; at the end of the loop's round, so that the answers of a round go out together, and so that the
    /// end of the connection is never told in the middle of a caller's work.
    func send(_ frame: Frame) {
        if !isOpen { return }
        output.append(frame.encoded)
        if isFlushDue { return }
        isFlushDue = true
        loop.soon { [weak self] in
            self?.isFlushDue = false
            self?.flush()
        }
    }

    private func flush() {
        if !isOpen { return }
        do {
            try output.write(to: socket)
        } catch {
            return end("\(error)")
        }
        if output.count > Self.mostUnwritten { return end("the peer does not read its answers") }
        handle()
        if isOpen && output.count > Self.writeBacklog { holdsMore() }
    }

    private func updateInterest() {
        var wanted: EventLoop.Interest = output.isEmpty ? [] : .writable
        if unhandled.isEmpty && output.count < Self.writeBacklog { wanted.insert(.readable) }
        if wanted == interest { return }
        do {
            try loop.rewatch(socket.rawValue, wanted)
            interest = wanted
        } catch {
            end("\(error)")
        }
    }

    // MARK: Reading

    private func ready(_ events: EventLoop.Interest) {
        if !events.isDisjoint(with: .writable) { flush() }
        if !isOpen { return }
        if interest.contains(.readable) {
            if !events.isDisjoint(with: [.readable, .hangUp, .error]) { read() }
        } else if !events.isDisjoint(with: [.hangUp, .error]) {
            // It will not read the answers that wait.
            end("the peer closed with answers unread")
        }
    }

    /// One read a round: a busy peer does not keep the others waiting.
    private func read() {
        do {
            guard let bytes = try socket.read(atMost: Self.readSize) else { return }
            if bytes.isEmpty { return end(decoder.isAtBoundary ? "" : "the peer closed in the middle of a frame") }
            unhandled = decoder.decode(bytes)[...]
            handle()
            if isOpen && decoder.heldMemory > Self.readSize { holdsMore() }
        } catch {
            end("\(error)")
        }
    }

    /// Hands out what has been read, as long as the answers find room. Then, if all is handed out, reads on.
    private func handle() {
        while output.count < Self.writeBacklog, let event = unhandled.popFirst() {
            received(event)
            // A handler may have closed us.
            if !isOpen { return }
        }
        // Not only emptied: it would hold the array.
        if unhandled.isEmpty { unhandled = [] }
        updateInterest()
    }
}
