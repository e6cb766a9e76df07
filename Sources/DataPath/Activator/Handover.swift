import Glibc
import Linux

/// Makes a client's connection once more, from inside the pod to the application, and says how that went. Reads nothing:
/// lives on the loop's thread.
final class Handover {
    enum Outcome {
        case connected(OpenSocket)
        case failed(SystemError)
    }

    /// At most this many at a time; the others wait in the activator's accept queue, where they cost no descriptor. An
    /// application's own accept queue is often 128 or 511 long, and a SYN that does not fit is only sent again after a
    /// second.
    private static let mostAttempts = 128
    /// Between two attempts to reach an application that does not listen yet.
    private static let pause = Instant.Span.milliseconds(5)

    private let loop: EventLoop
    private let clients: ClientAddresses?
    private var attempts: [ObjectIdentifier: Attempt] = [:]
    /// The near ends of the connections that this made and that are still open.
    private var nearEnds: Set<SocketAddress> = []

    /// - Parameter clients: nil leaves all connections the pod's own address.
    init(loop: EventLoop, clients: ClientAddresses?) {
        self.loop = loop
        self.clients = clients
    }

    deinit {
        closeAll()
    }

    var isBusy: Bool { attempts.count >= Self.mostAttempts }

    /// Whether the connection from this address is one that this made.
    func isOwn(_ peer: SocketAddress) -> Bool { nearEnds.contains(peer) }

    /// - Parameters:
    ///   - origin: The client, whose address the application is to see.
    ///   - timeout: How long to try again while the application refuses, and to wait for its answer. nil: one attempt.
    ///   - then: Called once, not before this returns.
    func begin(
        from origin: SocketAddress, to destination: SocketAddress, in network: ActivatorListener,
        timeout: Instant.Span?, then: @escaping (Outcome) -> Void
    ) {
        let attempt = Attempt(origin, destination, network, then)
        attempts[ObjectIdentifier(attempt)] = attempt
        if let timeout {
            attempt.deadline = .now + timeout
            attempt.timer = loop.after(timeout) { [unowned self, unowned attempt] in
                end(attempt, .failed(SystemError("connect", "\(destination)", code: ETIMEDOUT)))
            }
        }
        connect(attempt)
    }

    /// Forgets a near end, once its connection is closed.
    func closed(_ nearEnd: SocketAddress?) {
        clients?.users -= 1
        if let nearEnd { nearEnds.remove(nearEnd) }
    }

    /// Undoes what making connections needed in the pod, unless it still does.
    func tidy(_ network: borrowing Namespace) {
        // Whatever cannot be undone is in nobody's way.
        try? clients?.tidy(network)
    }

    /// Gives up all attempts without another word.
    func closeAll() {
        for attempt in attempts.values { withdraw(attempt) }
    }

    // MARK: One attempt

    private final class Attempt {
        let origin: SocketAddress
        let destination: SocketAddress
        let network: ActivatorListener
        let then: (Outcome) -> Void
        var deadline: Instant?
        var timer: Timer?
        var retry: Timer?
        var socket: OpenSocket?

        init(
            _ origin: SocketAddress, _ destination: SocketAddress, _ network: ActivatorListener,
            _ then: @escaping (Outcome) -> Void
        ) {
            self.origin = origin
            self.destination = destination
            self.network = network
            self.then = then
        }
    }

    private func connect(_ attempt: Attempt) {
        do throws(SystemError) {
            let family = attempt.destination.family
            let socket = OpenSocket(
                try attempt.network.namespace.inside { () throws(SystemError) in
                    let socket = try TCPSocket.make(family)
                    clients?.bind(socket, to: attempt.origin)
                    return socket
                })
            attempt.socket = socket
            clients?.users += 1
            try TCPSocket.set(.noDelay, true, of: socket.descriptor)
            try TCPSocket.connect(socket.descriptor, to: attempt.destination)
            nearEnds.insert(try TCPSocket.localAddress(socket.descriptor))
            try loop.watch(socket.descriptor, .writable) { [unowned self, unowned attempt] _ in answered(attempt) }
        } catch {
            failed(attempt, error)
        }
    }

    private func answered(_ attempt: Attempt) {
        guard let socket = attempt.socket else { return }
        let code = TCPSocket.takeError(socket.descriptor)
        if code != 0 { return failed(attempt, SystemError("connect", "\(attempt.destination)", code: code)) }
        loop.unwatch(socket.number)
        attempt.socket = nil
        end(attempt, .connected(socket))
    }

    private func failed(_ attempt: Attempt, _ error: SystemError) {
        dropSocket(of: attempt)
        guard let deadline = attempt.deadline, deadline > .now else {
            // The end is not told at once: `begin` may not have returned.
            return loop.soon { [weak self] in self?.end(attempt, .failed(error)) }
        }
        attempt.retry = loop.after(Self.pause) { [unowned self, unowned attempt] in connect(attempt) }
    }

    private func end(_ attempt: Attempt, _ outcome: Outcome) {
        // The attempt may have been withdrawn meanwhile.
        if attempts[ObjectIdentifier(attempt)] == nil { return }
        withdraw(attempt)
        attempt.then(outcome)
    }

    private func withdraw(_ attempt: Attempt) {
        if let timer = attempt.timer { loop.cancel(timer) }
        if let retry = attempt.retry { loop.cancel(retry) }
        dropSocket(of: attempt)
        attempts[ObjectIdentifier(attempt)] = nil
    }

    private func dropSocket(of attempt: Attempt) {
        guard let socket = attempt.socket else { return }
        loop.unwatch(socket.number)
        closed(try? TCPSocket.localAddress(socket.descriptor))
        attempt.socket = nil
    }
}
