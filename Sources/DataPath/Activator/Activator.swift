import Glibc
import Linux

/// Takes connections in the place of a container that cannot, those that are to be relayed: holds them while it sleeps,
/// and relays them or turns them away afterwards.
///
/// The connections that it holds wait in the kernel, in the accept queue of one listening socket; they cost this
/// process nothing, and it waits for the first of them without a timer. `Redirector.register` makes the listener known
/// to the redirect.
///
/// Lives on the loop's thread, and reads nothing that a client sends: `network` does. It keeps the pod's network namespace until `close`.
package final class Activator {
    package struct Counters: Equatable, Sendable, CustomStringConvertible {
        /// Connections that waited when holding ended.
        package internal(set) var held = 0
        /// Connections handed to the application.
        package internal(set) var relayed = 0
        /// Connections turned away: by `refuse`, or because the application did not take them.
        package internal(set) var refused = 0
        /// Connections being relayed now, or on their way to the application.
        package internal(set) var open = 0

        package var description: String { "held \(held), relayed \(relayed), refused \(refused), open \(open)" }
    }

    private enum Mode {
        case idle
        /// The callback is gone once it was called.
        case holding(onConnection: (() -> Void)?)
        case relaying(connectTimeout: Instant.Span?, limit: Instant.Span?)
        case refusing
    }

    private let loop: EventLoop
    private let log: (String) -> Void
    package let network: NetworkThread
    private let handover: Handover
    let reception: Reception
    /// nil once closed.
    private(set) var listener: ActivatorListener?

    private var mode = Mode.idle
    private var isWatching = false
    /// No descriptor was left for another connection; the rest wait in the kernel until one is.
    private var isShortOfDescriptors = false
    /// Accepted by the reception, or there was no descriptor for the other half of the relay.
    private var stalled: [OpenSocket] = []
    private var willTakeWaiting = false
    package private(set) var counters = Counters()

    /// - Parameters:
    ///   - networkNamespace: The pod's.
    ///   - clients: The pod's.
    ///   - queue: How many connections can wait; for tests.
    ///   - log: Told what went wrong with connections, where nobody else can be.
    package init(
        loop: EventLoop, networkNamespace: borrowing Namespace, clients: ClientAddresses? = nil, queue: Int? = nil,
        log: @escaping (String) -> Void = { _ in }
    ) throws(SystemError) {
        self.loop = loop
        self.log = log
        listener = try ActivatorListener(in: networkNamespace, queue: queue.map(Int32.init) ?? LongQueue.length)
        network = NetworkThread(loop: loop) { log("activator: cannot read what clients send: \($0)") }
        reception = try Reception(loop: loop, network: network, networkNamespace: networkNamespace, log: log)
        handover = Handover(loop: loop, clients: clients)
        reception.onPass = { [unowned self] socket in
            if let socket { stalled.append(socket) }
            if case .holding = mode { connectionsWait() } else { goOn() }
        }
    }

    deinit {
        close()
    }

    // MARK: What becomes of connections

    /// Lets connections wait from now on, and calls `onConnection` once, when there is one. Connections that are being
    /// relayed go on.
    ///
    /// - Parameter manners: How those are received that may be probes.
    package func hold(_ manners: Reception.Manners = .init(), onConnection: @escaping () -> Void) {
        change(to: .holding(onConnection: onConnection))
        reception.open(manners)
        if let listener { handover.tidy(listener.namespace) }
    }

    /// Hands what waits, and what still comes, to the application: each connection is made once more to the address and
    /// port that the client meant. The redirect of these ports has to be off, else the new connections come back here
    /// (and are reset).
    ///
    /// - Parameters:
    ///   - connectTimeout: How long to try again if the application does not listen yet. nil: not at all.
    ///   - limit: How long each connection may last from then on. nil: as long as both ends want.
    package func relay(connectTimeout: Instant.Span? = nil, limit: Instant.Span? = nil) {
        change(to: .relaying(connectTimeout: connectTimeout, limit: limit))
        reception.shut()
        takeWaiting()
    }

    /// Closes what waits, and what still comes, in order: the client sees the connection end, not break.
    package func refuse() {
        change(to: .refusing)
        reception.shut()
        takeWaiting()
    }

    private func refuse(_ client: OpenSocket) {
        counters.refused += 1
        do throws(SystemError) {
            try network.begin { room, done in
                room.refusal.add(client, onClose: done)
            } then: { [weak self] in
                self?.descriptorsCameFree()
            }
        } catch {
            log("activator: cannot end a connection in order: \(error)")
        }
    }

    /// Resets everything that is left, stops to listen, and lets go of the network namespace.
    package func close() {
        change(to: .idle)
        reception.close()
        listener = nil
        stalled = []
        handover.closeAll()
        network.closeAll()
    }

    /// Probes that the application heard nothing of.
    package var probesAnswered: UInt64 { reception.answered }

    /// Where the connection comes from, and wants to go, that the reception has not answered; nil if there is none.
    package var firstToTake: (from: SocketAddress, to: SocketAddress)? {
        guard let socket = stalled.last, let from = try? TCPSocket.peerAddress(socket.descriptor),
            let to = try? TCPSocket.localAddress(socket.descriptor)
        else { return nil }
        return (from, to)
    }

    /// How many connections wait now.
    package var waiting: Int { listener.map { TCPSocket.waitingConnections($0.descriptor) } ?? 0 }

    // MARK: The listener

    private func change(to mode: Mode) {
        if case .holding = self.mode { counters.held += waiting + stalled.count }
        self.mode = mode
        updateWatch()
    }

    private var wantsConnections: Bool {
        if listener == nil || isShortOfDescriptors { return false }
        return switch mode {
        case .idle: false
        case .holding(let onConnection): onConnection != nil
        case .relaying: !handover.isBusy
        case .refusing: true
        }
    }

    private func updateWatch() {
        guard let listener, wantsConnections != isWatching else { return }
        isWatching.toggle()
        if !isWatching { return loop.unwatch(listener.descriptor.rawValue) }
        do {
            try loop.watch(listener.descriptor, .readable) { [unowned self] _ in connectionsWait() }
        } catch {
            isWatching = false
            log("activator: \(error)")
        }
    }

    private func connectionsWait() {
        guard case .holding(let onConnection) = mode else { return takeWaiting() }
        mode = .holding(onConnection: nil)
        updateWatch()
        onConnection?()
    }

    private func takeWaiting() {
        // Asked for by a connection that has ended, and meanwhile those that wait may have to be held.
        if case .holding = mode { return updateWatch() }
        while let listener, wantsConnections {
            do {
                if let client = stalled.popLast() {
                    take(client, listener)
                } else if let client = try TCPSocket.accept(listener.descriptor) {
                    take(OpenSocket(client), listener)
                } else {
                    break
                }
            } catch {
                if !isShortage(error) { log("activator: \(error)") }
                break
            }
        }
        updateWatch()
    }

    private func take(_ client: OpenSocket, _ listener: ActivatorListener) {
        switch mode {
        case .idle, .holding:
            // Nothing is accepted in these.
            break
        case .refusing: refuse(client)
        case .relaying(let timeout, let limit):
            guard let (origin, destination) = route(of: client, listener) else {
                counters.refused += 1
                return TCPSocket.resetOnClose(client.descriptor)
            }
            do throws(SystemError) { try network.reserve() } catch { return giveUp(client, error) }
            counters.open += 1
            handover.begin(from: origin, to: destination, in: listener, timeout: timeout) { [weak self] outcome in
                self?.counters.open -= 1
                self?.handOver(client, outcome, limit)
                self?.network.letGo()
            }
        }
    }

    /// Where a client comes from and wants to go; nil if there is no use in going there.
    private func route(of client: OpenSocket, _ listener: ActivatorListener) -> (SocketAddress, SocketAddress)? {
        // A client that has reset the connection meanwhile has no address any more.
        guard let peer = try? TCPSocket.peerAddress(client.descriptor),
            let destination = try? TCPSocket.localAddress(client.descriptor)
        else { return nil }
        // Somebody in the pod found the listener itself, or a port is still redirected: a relay would never end.
        let own = [listener.port, reception.listener?.port]
        if own.contains(destination.port) || handover.isOwn(peer) {
            log("activator: reset a connection from \(peer) to \(destination), which leads back here")
            return nil
        }
        return (peer, destination)
    }

    private func handOver(_ client: OpenSocket, _ outcome: Handover.Outcome, _ limit: Instant.Span?) {
        switch outcome {
        case .connected(let application):
            do throws(SystemError) {
                try relay(client, application, limit)
                goOn()
            } catch {
                handover.closed(try? TCPSocket.localAddress(application.descriptor))
                giveUp(client, error)
            }
        case .failed(let error): giveUp(client, error)
        }
    }

    private func relay(
        _ client: OpenSocket, _ application: OpenSocket, _ limit: Instant.Span?
    ) throws(SystemError) {
        let nearEnd = try? TCPSocket.localAddress(application.descriptor)
        // Also called when this object goes, and closes what is left: hence weak.
        try network.begin { room, done in
            room.relay.add(client: client, application: application, limit: limit, onClose: done)
        } then: { [weak self] in
            self?.handover.closed(nearEnd)
            self?.counters.open -= 1
            self?.descriptorsCameFree()
        }
        counters.relayed += 1
        counters.open += 1
    }

    private func giveUp(_ client: OpenSocket, _ error: SystemError) {
        if isShortage(error) { return stalled.append(client) }
        counters.refused += 1
        TCPSocket.resetOnClose(client.descriptor)
        log("activator: the application did not take a connection: \(error)")
        descriptorsCameFree()
    }

    // MARK: Enough for all

    private func descriptorsCameFree() {
        isShortOfDescriptors = false
        goOn()
    }

    private func goOn() {
        if willTakeWaiting { return }
        willTakeWaiting = true
        loop.soon { [weak self] in
            self?.willTakeWaiting = false
            self?.takeWaiting()
        }
    }

    /// Out of descriptors or memory: connections that are not taken yet stay where they are, in the kernel.
    private func isShortage(_ error: SystemError) -> Bool {
        guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.code) else { return false }
        if !isShortOfDescriptors { log("activator: \(error); \(waiting) connections go on waiting") }
        isShortOfDescriptors = true
        // If no connection of ours will end, it is others who have to give something up.
        if counters.open == 0 {
            loop.after(.milliseconds(100)) { [weak self] in self?.descriptorsCameFree() }
        }
        return true
    }
}
