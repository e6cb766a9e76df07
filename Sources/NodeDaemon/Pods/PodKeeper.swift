import JSON
import Linux
import StatusAPI

/// Brings one pod of the cluster into line with what its containers do: its labels and its requests. It compares and
/// does the next step, one write at a time, until nothing differs. So it does not matter what it missed.
final class PodKeeper {
    /// Of writes to one pod: a container that sleeps and wakes all the time must not occupy the API server.
    private static let burst = 20
    private static let interval = Instant.Span.seconds(2)
    /// The reason why a container is awake may change with every look at it.
    private static let intervalOfReasons = Instant.Span.seconds(60)

    private enum Part {
        /// Labels and annotations.
        case status
        case requests
    }

    /// After a failure a part is left alone for a while; the other goes on.
    private struct Hold {
        var until = Instant(nanoseconds: 0)
        var failures = 0
        var reason = ""
    }

    private let key: String
    private unowned let cluster: Cluster
    private var bucket: TokenBucket
    private var isBusy = false
    private var timer: (timer: Timer, at: Instant)?
    private var holds: [Part: Hold] = [:]
    /// Until then a reason alone is not written.
    private var reasonsRest = Instant(nanoseconds: 0)
    private var seen: [String: RequestScaling.Seen] = [:]

    init(_ key: String, _ cluster: Cluster) {
        (self.key, self.cluster) = (key, cluster)
        bucket = TokenBucket(Self.burst, every: Self.interval, now: .now)
    }

    /// Why something is not written; empty while all is.
    var trouble: String { holds.values.map(\.reason).first { !$0.isEmpty } ?? "" }

    /// Nothing has to be written, as far as is known; or it cannot be.
    var isSettled: Bool { !isBusy && (timer == nil || !trouble.isEmpty) }

    func end() {
        if let timer { cluster.loop.cancel(timer.timer) }
    }

    /// Something may have changed. During a write nothing is decided: its answer is looked at anyway.
    func look() {
        guard !isBusy, let pod = cluster.pod(key), !pod.isEnding else { return }
        let containers = cluster.containers(of: pod)
        if containers.isEmpty { return }
        let labels = cluster.labels(of: pod, containers)
        let annotations = cluster.annotations(of: pod, containers)
        let isReasonAlone = labels.isEmpty && annotations.values.allSatisfy { $0 != nil }
        if labels.isEmpty && annotations.isEmpty {
            holds[.status] = nil
        } else if mayWrite(.status, notBefore: isReasonAlone ? reasonsRest : nil) {
            reasonsRest = .now + Self.intervalOfReasons
            let patch = PodPatch.status(pod, labels: labels, annotations: annotations)
            return write(.status, pod.path, patch, PodPatch.merge)
        }
        // Where requests cannot be changed, nothing is kept either.
        guard let resize = cluster.resizePath(of: pod) else { return cluster.settled() }
        let before = cluster.originals[pod.uid]
        let step = cluster.scaling.step(for: pod, containers, before, &seen)
        if step.originals != before && !keep(step.originals, of: pod) { return }
        if step.requests.isEmpty {
            holds[.requests] = nil
            cluster.settled()
        } else if mayWrite(.requests) {
            write(.requests, resize, PodPatch.requests(pod, step.requests), PodPatch.strategic)
        }
    }

    /// A request whose original cannot be kept is not lowered.
    private func keep(_ originals: OriginalRequests, of pod: Pod) -> Bool {
        guard mayWrite(.requests) else { return false }
        do throws(SystemError) {
            try cluster.originals.keep(originals, of: pod.uid)
            return true
        } catch {
            failed(.requests, APIFailure(status: 0, message: "original requests cannot be kept: \(error)"))
            return false
        }
    }

    /// If not, it is looked again when it may.
    private func mayWrite(_ part: Part, notBefore earliest: Instant? = nil) -> Bool {
        let now = Instant.now
        let hold = max(holds[part]?.until ?? now, earliest ?? now)
        guard let wait = hold > now ? hold.since(now) : bucket.take(now: now) else { return true }
        // The other part may have to wait for longer.
        if let timer, timer.at <= now + wait { return false }
        end()
        let next = cluster.loop.after(wait) { [unowned self] in
            timer = nil
            look()
        }
        timer = (next, now + wait)
        return false
    }

    private func write(_ part: Part, _ path: String, _ body: JSON, _ type: String) {
        isBusy = true
        cluster.api.ask("PATCH", path, body, as: type) { [weak self] result in
            guard let self else { return }
            isBusy = false
            switch result {
            case .success(let document):
                // The answer is the pod as it is now: what comes next is decided by it, not by what the watch has told.
                if let pod = Pod(document) { cluster.learn(pod) }
                holds[part] = nil
                look()
            case .failure(let failure): failed(part, failure)
            }
        }
    }

    private func failed(_ part: Part, _ failure: APIFailure) {
        switch failure.kind {
        // Deleted: the watch will tell. Or a server that was set back to a version without the subresource.
        case .gone where part == .status: return
        case .conflict: return read()
        case .gone, .exists, .refused, .passing: break
        }
        cluster.resizeRefused(failure)
        var hold = holds[part] ?? Hold()
        if hold.reason.isEmpty || hold.failures.isMultiple(of: 10) {
            cluster.log.warning("a pod cannot be changed", ["pod": key, "error": "\(failure)"])
        }
        // What was refused will be again, unless somebody changes the pod or the rules.
        let longest: UInt64 = failure.kind == .refused ? 300_000 : 30_000
        hold.until = .now + Backoff.delay(afterFailures: hold.failures, longest: longest)
        (hold.failures, hold.reason) = (hold.failures + 1, "\(failure)")
        holds[part] = hold
        look()
        cluster.settled()
    }

    /// Somebody else has changed the pod: decide anew by what it is now.
    private func read() {
        guard let pod = cluster.pod(key) else { return }
        isBusy = true
        cluster.api.ask("GET", pod.path) { [weak self] result in
            guard let self else { return }
            isBusy = false
            switch result {
            case .success(let document):
                if let pod = Pod(document) { cluster.learn(pod) }
                look()
            case .failure(let failure): failed(.status, failure)
            }
        }
    }
}
