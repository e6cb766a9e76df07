import Linux
import Protobuf
import StatusAPI
import TTRPC

/// What one shim tells, kept up to date by a call that it answers at its next change. In between neither of the two has
/// anything to do.
final class ShimSubscription {
    /// A shim answers from memory; one that takes longer is stuck, and nobody waits for it.
    private static let patience = Instant.Span.seconds(2)

    let path: String
    private let loop: EventLoop
    private let changed: (ShimSubscription) -> Void
    private var client: Client?
    private var retry: Timer?
    private var failures = 0
    /// The last list; empty before the first, and after the shim has gone.
    private(set) var containers: [ContainerReport] = []
    /// Whether it has answered, or is known to be away.
    private(set) var isKnown = false
    private var generation: UInt64 = 0

    init(_ path: String, loop: EventLoop, _ changed: @escaping (ShimSubscription) -> Void) {
        self.path = path
        self.loop = loop
        self.changed = changed
        connect()
    }

    /// Nothing is told any more.
    func end() {
        if let retry { loop.cancel(retry) }
        client?.close()
        client = nil
    }

    var isConnected: Bool { client?.isOpen ?? false }

    /// Asks for the numbers as they are now: counters move without a change of state.
    func refresh(_ then: @escaping () -> Void) {
        guard let client else { return loop.soon(then) }
        client.call(StatusService.name, "List", Empty(), timeout: Self.patience) { [self] (answer: Answer) in
            if case .success(let list) = answer { containers = list.containers }
            then()
        }
    }

    private typealias Answer = Result<StatusList, Status>

    private func connect() {
        retry = nil
        do throws(SystemError) {
            client = try Client(loop: loop, address: path) { [unowned self] in
                // The client may not be freed while it speaks.
                loop.soon { [weak self] in self?.lost() }
            }
            watch()
        } catch {
            // The file is there before the shim listens, and stays when a shim was killed until containerd cleans up.
            lost()
        }
    }

    private func watch() {
        let request = WatchRequest { $0.generation = generation }
        client?.call(StatusService.name, "Watch", request) { [unowned self] (answer: Answer) in
            switch answer {
            case .success(let list):
                (generation, containers, isKnown, failures) = (list.generation, list.containers, true, 0)
                changed(self)
                watch()
            case .failure(let status):
                // The end of the connection is told by itself. A shim without the method would be asked in vain.
                if status.code == .unavailable || status.code == .cancelled { return }
                loop.soon { [weak self] in self?.lost() }
            }
        }
    }

    private func lost() {
        if client == nil && retry != nil { return }
        client?.close()
        client = nil
        (generation, containers, isKnown) = (0, [], true)
        changed(self)
        retry = loop.after(Backoff.delay(afterFailures: failures)) { [unowned self] in connect() }
        failures += 1
    }
}
