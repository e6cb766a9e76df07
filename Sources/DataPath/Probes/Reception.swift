import Linux

/// Takes the connections of a sleeping container that may not be meant for it: from the node, whence its kubelet probes
/// it, and to passive ports. Probes are answered from memory, and all others passed on.
///
/// Lives on the loop's thread. The conversations are the network thread's.
package final class Reception {
    package struct Manners {
        package var answers = Answers()
        package var passivePorts: Set<UInt16> = []
        /// Peers for whom the application is not woken.
        package var ignoredPeers: Set<AddressRange> = []
        /// How many bytes of a request are looked at.
        package var limit = 1024
        /// A client that says nothing for longer is served by the application, which may be the one to speak first.
        package var patience = Instant.Span.milliseconds(250)
        /// Ports on which the application does not speak first: a client that says nothing there needs nobody yet.
        package var waitingPorts: Set<UInt16> = []
        /// Told why a connection wakes the container.
        package var tell: (String) -> Void = { _ in }

        package init() {}
    }

    private let loop: EventLoop
    private let network: NetworkThread
    private let log: (String) -> Void
    /// nil once closed.
    private(set) var listener: ActivatorListener?
    private var manners = Manners()
    private var isOpen = false
    /// Connections of which the application heard nothing.
    private(set) var answered: UInt64 = 0
    /// Called with each connection that is for the application, and with nil when one will come again.
    var onPass: (OpenSocket?) -> Void = { _ in }

    init(
        loop: EventLoop, network: NetworkThread, networkNamespace: borrowing Namespace,
        log: @escaping (String) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.log = log
        self.network = network
        let listener = try ActivatorListener(in: networkNamespace)
        self.listener = listener
        try loop.watch(listener.descriptor, .readable) { [unowned self] _ in take() }
    }

    deinit {
        close()
    }

    /// Probes are answered from now on.
    func open(_ manners: Manners) {
        self.manners = manners
        isOpen = true
    }

    /// Whoever waits, and whoever still comes because its SYN was early, is passed on.
    func shut() {
        isOpen = false
        network.tell { $0.desk.passAll() }
    }

    func close() {
        isOpen = false
        if let listener { loop.unwatch(listener.descriptor.rawValue) }
        listener = nil
    }

    private func take() {
        guard let listener else { return }
        do throws(SystemError) {
            while let descriptor = try TCPSocket.accept(listener.descriptor) { receive(OpenSocket(descriptor)) }
        } catch {
            log("reception: \(error)")
        }
    }

    private func receive(_ socket: OpenSocket) {
        guard let port = try? TCPSocket.localAddress(socket.descriptor).port,
            let peer = try? TCPSocket.peerAddress(socket.descriptor)
        else { return }
        if !isOpen { return onPass(socket) }
        let visitor = Visitor(
            asker: peer.address, port: port, isPassive: manners.passivePorts.contains(port), limit: manners.limit,
            answers: manners.answers)
        let patience: VisitorDesk.Patience =
            if visitor.isPassive {
                .passive
            } else {
                manners.waitingPorts.contains(port) ? .untilItSpeaks : .for(manners.patience)
            }
        let isIgnored = manners.ignoredPeers.have(peer)
        let decided = loop.reply { [weak self] (outcome: VisitorDesk.Outcome) in
            self?.decided(outcome, port, isIgnored: isIgnored)
        }
        do throws(SystemError) {
            try network.begin { [limit = manners.limit] room, done in
                room.desk.receive(
                    socket, visitor, limit: limit, patience: patience, then: decided, onClose: done)
            } then: {
            }
        } catch {
            decided(.pass(socket, reason: "it cannot be read: \(error)"))
        }
    }

    private func decided(_ outcome: VisitorDesk.Outcome, _ port: UInt16, isIgnored: Bool) {
        switch outcome {
        case .gone: answered += 1
        // The connection of an ignored peer ends here. Without a reason the application is about to be there anyway.
        case .pass(_, reason: .some) where isIgnored, .sentAway where isIgnored: break
        case .pass(let socket, let reason): pass(socket, port, reason)
        case .sentAway(let reason):
            // The client comes again at once, and must not be told the same: from now on connections wait for the wake.
            isOpen = false
            pass(nil, port, reason)
        }
    }

    private func pass(_ socket: OpenSocket?, _ port: UInt16, _ reason: String?) {
        if let reason {
            let peer = socket.flatMap { try? TCPSocket.peerAddress($0.descriptor) }.map { "from \($0)" } ?? "HTTP/2"
            manners.tell("a connection to port \(port) (\(peer)) wakes: \(reason)")
        }
        onPass(socket)
    }
}
