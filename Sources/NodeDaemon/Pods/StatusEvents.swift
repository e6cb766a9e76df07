import JSON
import Linux
import Protobuf
import StatusAPI

/// Events of Kubernetes about what containers do. Each has a name that follows from what happened, so that the API
/// server itself refuses a second one: it does not matter who tells, nor how often.
final class StatusEvents {
    /// Seconds: well below an hour, after which the API server forgets events, and with them that they were told.
    private static let recent: Int64 = 600

    private let api: APIServer
    private let loop: EventLoop
    private let log: Log
    private let node: String
    private var backlog = EventBacklog(now: .now)
    private var isBusy = false
    private var timer: Timer?
    private var failures = 0

    init(_ api: APIServer, node: String, loop: EventLoop, log: Log) {
        (self.api, self.node, self.loop, self.log) = (api, node, loop, log)
    }

    /// - Parameter uid: the pod's, as the cluster knows it.
    func tell(_ change: ContainerChange, of report: ContainerReport, podUID uid: String, at time: WallClockTime) {
        backlog.add(EventBacklog.Entry(change, of: report, podUID: uid, at: time), now: .now)
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
    func forget(_ id: String) { backlog.end(id) }

    private func send() {
        if isBusy { return }
        if let timer { loop.cancel(timer) }
        timer = nil
        switch backlog.next(now: .now) {
        case .nothing: break
        case .wait(let span):
            timer = loop.after(span) { [weak self] in
                self?.timer = nil
                self?.send()
            }
        case .tell(let entry):
            isBusy = true
            let event = EventObject.make(
                entry.change, of: entry.report, podUID: entry.podUID, node: node, at: entry.time,
                withheld: entry.withheld)
            post(event, in: entry.report.podNamespace)
        }
    }

    private func post(_ event: JSON, in namespace: String) {
        api.ask("POST", "/api/v1/namespaces/\(namespace)/events", event) { [weak self] result in
            guard let self else { return }
            if case .failure(let failure) = result, failure.kind == .passing {
                let delay = Backoff.delay(afterFailures: failures)
                failures += 1
                loop.after(delay) { [weak self] in self?.post(event, in: namespace) }
                return
            }
            if case .failure(let failure) = result, failure.kind == .refused {
                log.warning("an event was refused", ["error": "\(failure)", "namespace": namespace])
            }
            (isBusy, failures) = (false, 0)
            send()
        }
    }
}
