import DataPath
import Linux
import Synchronization

/// The sockets and named pipes of a container whose processes are away or stand still, as the loop and the thread of a
/// checkpoint or a restore share them.
final class SleepingEndpoints: Sendable {
    private struct State {
        var watch: EndpointWatch?
        /// How much could be read at the last checkpoint, by inode. What is still there then nobody reads.
        var leftUnread: [UInt64: UInt64] = [:]
        /// Queues that are longer than the application has asked for.
        var lengthened: [QueueLength] = []
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
            state.watch = isNeeded ? nil : watch
            state.isGivenBack = false
        }
        return !isNeeded
    }

    /// A wake cannot fail any more, and the processes do not run yet.
    func aboutToRun() {
        state.withLock { state in
            state.held += state.watch?.waiting ?? 0
            for queue in state.lengthened { queue.restore() }
            state.lengthened = []
            state.isGivenBack = true
        }
    }

    // MARK: On the loop

    /// What is there already is for the caller to find.
    func standStill(_ descriptors: [Int32], _ policy: WakePolicy) throws(SystemError) {
        let watch = try EndpointWatch(descriptors, policy)
        _ = try watch.takeReadable()
        state.withLock { state in
            state.watch = watch
            state.isGivenBack = false
        }
    }

    /// Calls `onArrival` once, when something comes.
    func start(_ loop: EventLoop, _ onArrival: @escaping () -> Void) throws(SystemError) {
        try state.withLock { $0.watch }?.start(loop, onArrival: onArrival)
    }

    /// In the network namespace of the pod.
    func lengthenQueues() {
        state.withLock { state in state.lengthened = state.watch?.lengthenQueues() ?? [] }
    }

    /// What has come; nil if nothing has come here, or is known already.
    func arrival() -> Arrival? {
        state.withLock { state in
            guard !state.isGivenBack, let number = (try? state.watch?.takeReadable())?.first else { return nil }
            let endpoint = Endpoint(of: number)
            return Arrival(endpoint: endpoint, peer: endpoint.peer(number))
        }
    }

    func stop(_ loop: EventLoop) { state.withLock { $0.watch }?.stop(loop) }

    /// They are the processes' again, or gone.
    func end(_ loop: EventLoop) {
        stop(loop)
        state.withLock { state in
            state.watch = nil
            state.lengthened = []
        }
    }

    /// Those on which a process of the container listens.
    var ports: Set<UInt16> { state.withLock { $0.watch?.ports ?? [] } }

    var connections: Int { state.withLock { $0.watch?.connections ?? 0 } }

    /// Connections that have waited for a wake, since the start.
    var held: Int { state.withLock { $0.held } }
}
