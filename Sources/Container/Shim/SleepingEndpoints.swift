import DataPath
import Linux
import Synchronization

/// The sockets and named pipes of a container whose processes are away or stand still, as the loop and the thread of a
/// checkpoint or a restore share them.
final class SleepingEndpoints: Sendable {
    fileprivate struct State {
        var watch: EndpointWatch?
        /// Readable bytes of each inode at the last checkpoint. If the same bytes are there at the next one, nobody
        /// reads them.
        var leftUnread: [UInt64: UInt64] = [:]
        /// Queues that are longer than the application has asked for.
        var lengthened: [QueueLength] = []
        /// Ports on which silent connections do not count.
        var deferring: Set<UInt16> = []
        /// Ports that had a waiting connection before the deferral was set.
        var hadConnected: Set<UInt16> = []
        var deferred: [SilentConnections] = []
        /// Ports on which a client has waited for the application to speak first.
        var silent: Set<UInt16> = []
        /// The descriptor at which something has come that the processes are wanted for.
        var arrived: Int32?
        var held = 0
        /// The copies may be closed from now on, and their numbers be others'.
        var isGivenBack = false
    }

    /// Somebody who has come, and the other end where there is one.
    struct Arrival {
        let endpoint: Endpoint
        let peer: SocketAddress?
    }

    private let state = Mutex(State())

    // MARK: On the thread of a call

    /// False: somebody waits for the processes. Else they are watched from here on.
    func areAtRest(
        _ descriptors: [Int32], _ policy: WakePolicy, _ question: WaitingQuestion
    ) throws(SystemError) -> Bool {
        let watch = try EndpointWatch(descriptors, policy)
        let (isNeeded, unread) = try question.answer(
            for: watch.takeReadable(), but: state.withLock { $0.leftUnread })
        state.withLock { state in
            state.leftUnread = unread
            state.begin(isNeeded ? nil : watch)
        }
        return !isNeeded
    }

    /// A wake cannot fail any more, and the processes do not run yet.
    func aboutToRun() {
        state.withLock { state in
            state.held += state.watch?.waiting ?? 0
            for queue in state.lengthened { queue.restore() }
            for listener in state.deferred { listener.restore() }
            (state.lengthened, state.deferred) = ([], [])
            state.isGivenBack = true
        }
    }

    // MARK: On the loop

    /// Watches the sockets. Does not tell of what is there already: the caller has to find it.
    func standStill(_ descriptors: [Int32], _ policy: WakePolicy) throws(SystemError) {
        let watch = try EndpointWatch(descriptors, policy)
        _ = try watch.takeReadable()
        state.withLock { $0.begin(watch) }
    }

    /// Calls `onArrival` once, when something comes that the processes are wanted for.
    ///
    /// - Parameter connections: all of the pod.
    func start(
        _ loop: EventLoop, connections: @escaping () throws(SystemError) -> [TCPConnection],
        _ onArrival: @escaping () -> Void
    ) throws(SystemError) {
        try state.withLock { $0.watch }?.start(
            loop, isWanted: { [self] in state.withLock { $0.isWanted(connections) } }, onArrival: onArrival)
    }

    /// Defers connections to these ports: they count as soon as their clients have said something, or have been silent
    /// for a second. Ports on which clients have waited in vain are left out.
    func awaitWords(on ports: Set<UInt16>) {
        state.withLock { state in
            state.deferring = ports.subtracting(state.silent)
            state.deferred = state.watch?.awaitWords(on: state.deferring) ?? []
            state.hadConnected = state.deferring.filter { (state.watch?.queue(of: $0).waiting ?? 0) > 0 }
        }
    }

    /// In the network namespace of the pod.
    func lengthenQueues() {
        state.withLock { state in state.lengthened = state.watch?.lengthenQueues() ?? [] }
    }

    /// What has come; nil if nothing has come here, or is known already.
    func arrival() -> Arrival? {
        state.withLock { state in
            guard !state.isGivenBack, let number = state.arrived ?? state.takeReadable().first else { return nil }
            let endpoint = Endpoint(of: number)
            return Arrival(endpoint: endpoint, peer: endpoint.peer(number))
        }
    }

    func stop(_ loop: EventLoop) { state.withLock { $0.watch }?.stop(loop) }

    /// The endpoints are the processes' again, or gone.
    func end(_ loop: EventLoop) {
        stop(loop)
        state.withLock { state in
            state.watch = nil
            (state.lengthened, state.deferred) = ([], [])
        }
    }

    /// TCP ports on which a process of the container listens.
    var ports: Set<UInt16> { state.withLock { $0.watch?.ports ?? [] } }

    var connections: Int { state.withLock { $0.watch?.connections ?? 0 } }

    /// Connections that have waited for a wake, since the start.
    var held: Int { state.withLock { $0.held } }
}

extension SleepingEndpoints.State {
    /// How many connections that were given up may wait for the next wake, in a queue that others wait in as well.
    private static let mostGivenUp = 256

    fileprivate mutating func begin(_ watch: EndpointWatch?) {
        self.watch = watch
        (isGivenBack, arrived, deferring) = (false, nil, [])
    }

    fileprivate func takeReadable() -> [Int32] { (try? watch?.takeReadable()) ?? [] }

    /// Whether the processes are wanted for what has come. They are not for connections to ports on which clients speak
    /// first, if those have been ended before anything was said: all that wait there, counted by the kernel in two ways.
    fileprivate mutating func isWanted(_ connections: () throws(SystemError) -> [TCPConnection]) -> Bool {
        let came = takeReadable()
        var ports: Set<UInt16> = []
        for number in came {
            guard case .listener(let port) = Endpoint(of: number), deferring.contains(port) else {
                arrived = number
                return true
            }
            ports.insert(port)
        }
        guard let watch, let all = try? connections() else { return true }
        let wanted = ports.first { port in
            let waiting = all.filter { $0.waitsToBeAccepted && $0.local.port == port }
            let queue = watch.queue(of: port)
            return queue.waiting > min(Self.mostGivenUp, queue.length / 2) || !waiting.allSatisfy(\.wasGivenUp)
                || waiting.count < queue.waiting
        }
        guard let wanted else { return false }
        // How long a connection that is older than the deferral has been silent is unknown.
        if !hadConnected.contains(wanted), all.contains(where: { $0.isUnheard(at: wanted) }) { silent.insert(wanted) }
        arrived = came.first { Endpoint(of: $0) == .listener(port: wanted) }
        return true
    }
}

extension TCPConnection {
    /// Nobody has accepted it, and nobody has said anything.
    fileprivate func isUnheard(at port: UInt16) -> Bool {
        waitsToBeAccepted && local.port == port && !peerHasEnded && !hasReceived
    }
}
