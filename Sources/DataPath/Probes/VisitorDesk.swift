import Glibc
import Linux

/// Runs the conversations with those who may be probes. Lives on the network thread, and so needs nothing but the sockets
/// it is given and its loop.
final class VisitorDesk {
    enum Outcome: Sendable {
        /// It was answered, or went away by itself.
        case gone
        /// It is for the application, and not a byte of it has been taken. Without a reason it is only not decided yet.
        case pass(OpenSocket, reason: String?)
        /// It was told to come again, and has reason to find the application awake then.
        case sentAway(reason: String)
    }

    /// How long it may take until it is clear what a connection is.
    enum Patience {
        case `for`(Instant.Span)
        /// On a passive port nobody waits for the application.
        case passive
        /// As long as nothing has come, and a while from then on. A busy kubelet sends its request when it comes to it.
        case untilItSpeaks
    }

    private static let passivePatience = Instant.Span.seconds(2)
    private static let patienceOnceItSpeaks = Instant.Span.seconds(5)
    /// How many may say nothing without a limit of time: each has a descriptor of the shim's.
    private static let mostSilent = 64
    /// How long a client may take to receive its answer and close.
    private static let farewell = Instant.Span.seconds(2)

    private final class Conversation {
        let socket: OpenSocket
        var visitor: Visitor
        let limit: Int
        /// Gone once it was called.
        var then: ((Outcome) -> Void)?
        let onClose: () -> Void
        var timer: Timer?
        /// Set once it is answered: what was not sent yet.
        var unsent: ArraySlice<UInt8>?

        init(
            _ socket: OpenSocket, _ visitor: Visitor, limit: Int, _ then: @escaping (Outcome) -> Void,
            _ onClose: @escaping () -> Void
        ) {
            self.socket = socket
            self.visitor = visitor
            self.limit = limit
            self.then = then
            self.onClose = onClose
        }

        func decide(_ outcome: Outcome) {
            then?(outcome)
            then = nil
        }
    }

    private let loop: EventLoop
    private var conversations: [Int32: Conversation] = [:]

    init(loop: EventLoop) {
        self.loop = loop
    }

    deinit {
        closeAll()
    }

    /// Takes over an accepted, non-blocking socket.
    ///
    /// - Parameters:
    ///   - then: Called once, when it is decided what becomes of it.
    ///   - onClose: Called once, when nothing is left to do here.
    func receive(
        _ socket: OpenSocket, _ visitor: Visitor, limit: Int, patience: Patience,
        then: @escaping (Outcome) -> Void, onClose: @escaping () -> Void
    ) {
        let conversation = Conversation(socket, visitor, limit: limit, then, onClose)
        do {
            // Edge-triggered: what was looked at stays unread.
            try loop.watch(socket.descriptor, [.readable, .hangUp, .edge]) { [unowned self, unowned conversation] in
                heard(conversation, hasEnded: !$0.isDisjoint(with: [.hangUp, .error]))
            }
        } catch {
            then(.pass(socket, reason: "it cannot be read: \(error)"))
            return onClose()
        }
        conversations[socket.number] = conversation
        switch patience {
        case .for(let span): setTimer(span, conversation)
        case .passive: setTimer(Self.passivePatience, conversation)
        case .untilItSpeaks:
            if conversations.values.count(where: { $0.timer == nil }) > Self.mostSilent {
                setTimer(Self.patienceOnceItSpeaks, conversation)
            }
        }
    }

    private func setTimer(_ span: Instant.Span, _ conversation: Conversation) {
        conversation.timer = loop.after(span) { [unowned self, unowned conversation] in
            let bytes = (try? TCPSocket.peek(conversation.socket.descriptor, atMost: conversation.limit)) ?? []
            perform(conversation.visitor.timedOut(after: bytes), conversation)
        }
    }

    /// Passes on all that are not decided yet.
    func passAll() {
        for conversation in conversations.values where conversation.unsent == nil { pass(conversation, reason: nil) }
    }

    /// Ends all, whether they are decided or not.
    func closeAll() {
        for conversation in conversations.values { end(conversation, .gone) }
    }

    private func heard(_ conversation: Conversation, hasEnded: Bool) {
        if conversation.unsent != nil { return bidFarewell(conversation) }
        do throws(SystemError) {
            // nil: nothing has come yet.
            let bytes = try TCPSocket.peek(conversation.socket.descriptor, atMost: conversation.limit)
            // A TCP probe.
            if bytes?.isEmpty == true { return end(conversation, .gone) }
            let decision = conversation.visitor.look(at: bytes ?? [])
            if bytes != nil && conversation.timer == nil { setTimer(Self.patienceOnceItSpeaks, conversation) }
            if decision == .wait && hasEnded { return pass(conversation, reason: "its request is not complete") }
            perform(decision, conversation)
        } catch {
            end(conversation, .gone)
        }
    }

    private func perform(_ decision: Visitor.Decision, _ conversation: Conversation) {
        switch decision {
        case .wait: return
        case .greet(let bytes): _ = try? TCPSocket.send(bytes[...], to: conversation.socket.descriptor)
        case .answer(let bytes): answer(bytes, conversation)
        case .pass(let reason): pass(conversation, reason: reason)
        case .sendAway(let bytes, let reason):
            conversation.decide(.sentAway(reason: reason))
            answer(bytes, conversation)
        }
    }

    // MARK: Answering

    private func answer(_ bytes: [UInt8], _ conversation: Conversation) {
        conversation.unsent = bytes[...]
        if let timer = conversation.timer { loop.cancel(timer) }
        conversation.timer = loop.after(Self.farewell) { [unowned self, unowned conversation] in
            end(conversation, .gone)
        }
        bidFarewell(conversation)
    }

    /// Sends the rest and FIN, and reads what still comes until the client closes: a socket that is closed with unread
    /// data sends RST, and the answer may be lost.
    private func bidFarewell(_ conversation: Conversation) {
        let socket = conversation.socket
        do throws(SystemError) {
            if try TCPSocket.discard(socket.descriptor) { return end(conversation, .gone) }
            if let unsent = conversation.unsent, !unsent.isEmpty {
                let sent = try TCPSocket.send(unsent, to: socket.descriptor) ?? 0
                conversation.unsent = unsent.dropFirst(sent)
                if sent < unsent.count { return try loop.rewatch(socket.number, [.readable, .writable, .edge]) }
            }
            TCPSocket.endSending(socket.descriptor)
        } catch {
            end(conversation, .gone)
        }
    }

    private func pass(_ conversation: Conversation, reason: String?) {
        end(conversation, .pass(conversation.socket, reason: reason))
    }

    private func end(_ conversation: Conversation, _ outcome: Outcome) {
        guard conversations.removeValue(forKey: conversation.socket.number) != nil else { return }
        loop.unwatch(conversation.socket.number)
        if let timer = conversation.timer { loop.cancel(timer) }
        conversation.decide(outcome)
        conversation.onClose()
    }
}
