import JSON
import Linux
import Protobuf
import StatusAPI

/// Events of Kubernetes about what containers do. Each has a name that follows from what happened, so that the API
/// server itself refuses a second one: it does not matter who tells, nor how often.
final class StatusEvents {
    /// Of one container, as clients of Kubernetes limit themselves: a burst, and then one in five minutes would hide most
    /// of what a container does in a day of visits; one in twenty seconds hides none of a person's.
    private static let burst = 25
    private static let interval = Instant.Span.seconds(20)
    /// Events that wait for the API server; of more the oldest are given up.
    private static let longest = 1000

    /// Seconds: well below an hour, after which the API server forgets events, and with them that they were told.
    private static let recent: Int64 = 600

    private let api: APIServer
    private let loop: EventLoop
    private let log: Log
    private let node: String
    private var buckets: [String: TokenBucket] = [:]
    private var withheld: [String: Int] = [:]
    private var queue: [JSON] = []
    private var isBusy = false
    private var failures = 0

    init(_ api: APIServer, node: String, loop: EventLoop, log: Log) {
        (self.api, self.node, self.loop, self.log) = (api, node, loop, log)
    }

    /// - Parameter uid: the pod's, as the cluster knows it.
    func tell(_ change: ContainerChange, of report: ContainerReport, podUID uid: String, at time: WallClockTime) {
        var bucket = buckets[report.id] ?? TokenBucket(Self.burst, every: Self.interval, now: .now)
        let mayTell = bucket.take(now: .now) == nil
        buckets[report.id] = bucket
        if !mayTell {
            withheld[report.id, default: 0] += 1
            return
        }
        let before = withheld.removeValue(forKey: report.id) ?? 0
        queue.append(EventObject.make(change, of: report, podUID: uid, node: node, at: time, withheld: before))
        if queue.count > Self.longest {
            queue.removeFirst(queue.count - Self.longest)
            log.warning("events were given up: the API server takes none")
        }
        send()
    }

    /// What is taken for known of a container that is seen for the first time: all but the last change, if that is not
    /// long ago. Either its event is there, and a second is refused, or nobody has told it.
    static func baseline(_ report: ContainerReport, now: WallClockTime) -> ContainerReport {
        var old = report
        func isRecent(_ time: Timestamp?) -> Bool { time.map { $0.seconds >= now.seconds - recent } ?? false }
        if isRecent(report.lastCheckpoint) { old.checkpoints?.count -= 1 }
        if isRecent(report.lastRestore) { old.restores?.count -= 1 }
        if isRecent(report.lastFreeze) { old.freezes -= min(1, old.freezes) }
        if isRecent(report.lastThaw) { old.thaws -= min(1, old.thaws) }
        return old
    }

    /// The container has gone.
    func forget(_ id: String) {
        buckets[id] = nil
        withheld[id] = nil
    }

    private func send() {
        guard !isBusy, let event = queue.first, let namespace = event["metadata"]?["namespace"]?.string else { return }
        isBusy = true
        api.ask("POST", "/api/v1/namespaces/\(namespace)/events", event) { [weak self] result in
            guard let self else { return }
            if case .failure(let failure) = result, failure.kind == .passing {
                let delay = Backoff.delay(afterFailures: failures)
                failures += 1
                loop.after(delay) { [weak self] in
                    self?.isBusy = false
                    self?.send()
                }
                return
            }
            if case .failure(let failure) = result, failure.kind == .refused {
                log.warning("an event was refused", ["error": "\(failure)", "namespace": namespace])
            }
            (isBusy, failures) = (false, 0)
            // The oldest may have been given up meanwhile.
            if queue.first == event { queue.removeFirst() }
            send()
        }
    }
}
