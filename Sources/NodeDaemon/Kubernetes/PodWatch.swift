import JSON
import Linux

/// The pods of this node as the API server knows them: listed once, then followed. A watch that ends goes on where it
/// stopped; only when the server no longer knows that place is everything listed again.
final class PodWatch {
    /// Seconds after which the server ends a watch in order; a bit by chance, so that not all nodes come at once.
    private static let length = 240...360

    private let api: APIServer
    private let loop: EventLoop
    private let log: Log
    private let node: String
    private let changed: (Pod?, _ gone: Pod?) -> Void
    private let allListed: (_ uids: Set<String>) -> Void
    private var pods: [String: Pod] = [:]
    private var listing: [String: Pod] = [:]
    private var version = ""
    private var events = WatchEvents()
    private var stream: Transfer?
    private var failures = 0
    /// Listings in a row after which no watch has told anything.
    private var expirations = 0
    private(set) var isSynchronized = false

    /// - Parameters:
    ///   - changed: told of each pod that has come or changed, or has gone.
    ///   - listed: told which pods there are, whenever all have been listed.
    init(
        _ api: APIServer, node: String, loop: EventLoop, log: Log, _ changed: @escaping (Pod?, _ gone: Pod?) -> Void,
        listed: @escaping (_ uids: Set<String>) -> Void = { _ in }
    ) {
        (self.api, self.node, self.loop, self.log, self.changed) = (api, node, loop, log, changed)
        allListed = listed
    }

    func start() { list(from: "") }

    /// - Parameter key: `namespace/name`.
    func pod(_ key: String) -> Pod? { pods[key] }

    /// An answer to a change of our own: known before the watch tells it.
    func learn(_ pod: Pod) { put(pod, tell: false) }

    // MARK: Listing

    private var selector: String { "fieldSelector=spec.nodeName%3D\(node)" }

    private func list(from mark: String) {
        if mark.isEmpty { listing = [:] }
        let rest = mark.isEmpty ? "" : "&continue=\(mark)"
        api.ask("GET", "/api/v1/pods?\(selector)&limit=500\(rest)") { [unowned self] result in
            switch result {
            case .success(let document): listed(document)
            case .failure(let failure):
                again(after: failure, "pods cannot be listed") { [unowned self] in list(from: "") }
            }
        }
    }

    private func listed(_ document: JSON) {
        for pod in (document["items"]?.array ?? []).compactMap(Pod.init) { listing[pod.key] = pod }
        if let mark = document["metadata"]?["continue"]?.string, !mark.isEmpty { return list(from: mark) }
        let found = document["metadata"]?["resourceVersion"]?.string ?? ""
        // What is known is of a future that never was.
        if isBefore(found) { pods = pods.mapValues(\.withoutVersion) }
        version = found
        failures = 0
        isSynchronized = true
        for pod in pods.values where listing[pod.key]?.uid != pod.uid { remove(pod) }
        allListed(Set(listing.values.map(\.uid)))
        for pod in listing.values { put(pod, tell: true) }
        listing = [:]
        watch()
    }

    // MARK: Watching

    private func watch() {
        events = WatchEvents()
        let seconds = Int.random(in: Self.length)
        let path =
            "/api/v1/pods?\(selector)&watch=true&allowWatchBookmarks=true&resourceVersion=\(version)"
            + "&timeoutSeconds=\(seconds)"
        stream = api.stream(
            path, seconds: seconds,
            received: { [unowned self] bytes in
                for event in events.take(bytes) { handle(event) }
            },
            ended: { [unowned self] failure in
                guard stream != nil else { return }
                stream = nil
                guard let failure else { return endedInOrder() }
                if failure.status == 410 { return relist() }
                again(after: failure, "the watch of pods ended") { [unowned self] in
                    // A server that answers, and not with a watch, may not know the version.
                    if failure.status == 0 { goOn() } else { list(from: "") }
                }
            })
    }

    /// After the time that was asked for, or because the server is about to end.
    private func endedInOrder() {
        // One that ends its watches at once is asked less and less often.
        let delay = Backoff.delay(afterFailures: failures)
        failures += 1
        loop.after(delay) { [unowned self] in goOn() }
    }

    /// Watches from where the last watch ended, unless the server was set back to before that: it would take the request, and
    /// tell nothing until it has caught up (kubernetes/kubernetes#107457). A list with a limit comes from etcd.
    private func goOn() {
        api.ask("GET", "/api/v1/pods?\(selector)&limit=1") { [unowned self] result in
            switch result {
            case .success(let document):
                let found = document["metadata"]?["resourceVersion"]?.string ?? ""
                if isBefore(found) { relist() } else { watch() }
            case .failure(let failure): again(after: failure, "pods cannot be listed") { [unowned self] in goOn() }
            }
        }
    }

    private func handle(_ event: WatchEvents.Event) {
        // What came before an end of the watch and was not looked at yet.
        guard stream != nil else { return }
        switch event {
        case .present(let object):
            guard let pod = Pod(object) else { return }
            goesOn(to: pod.version)
            put(pod, tell: true)
        case .deleted(let object):
            guard let pod = Pod(object) else { return }
            goesOn(to: pod.version)
            remove(pod)
        case .bookmark(let version): if !version.isEmpty { goesOn(to: version) }
        case .expired: interrupt { [unowned self] in relist() }
        case .failed(let failure):
            interrupt { [unowned self] in
                again(after: failure, "the watch of pods failed") { [unowned self] in list(from: "") }
            }
        }
    }

    /// Ends the watch from within one of its events, when libcurl has finished with that.
    private func interrupt(_ then: @escaping () -> Void) {
        guard let stream else { return }
        self.stream = nil
        loop.soon { [weak self] in
            self?.api.stop(stream)
            if self != nil { then() }
        }
    }

    private func goesOn(to version: String) {
        (self.version, failures, expirations) = (version, 0, 0)
    }

    /// Whether a server that says this has lost what it had: etcd was put back to a backup.
    private func isBefore(_ version: String) -> Bool {
        guard let own = UInt64(self.version), let other = UInt64(version) else { return false }
        return other < own
    }

    private func relist() {
        log.info("the watch of pods does not fit to what the API server has: all are listed again")
        expirations += 1
        if expirations == 1 { return list(from: "") }
        loop.after(Backoff.delay(afterFailures: expirations)) { [unowned self] in list(from: "") }
    }

    private func again(after failure: APIFailure, _ what: String, _ body: @escaping () -> Void) {
        let delay = Backoff.delay(afterFailures: failures)
        if failures == 0 || failures.isMultiple(of: 10) {
            log.warning(what, ["error": "\(failure)", "again_in": "\(Int(delay.milliseconds))ms"])
        }
        failures += 1
        loop.after(delay, body)
    }

    // MARK: Pods

    private func put(_ pod: Pod, tell: Bool) {
        if let known = pods[pod.key] {
            if known.isNewer(than: pod) { return }
            if known.uid != pod.uid { remove(known) }
        }
        pods[pod.key] = pod
        if tell { changed(pod, nil) }
    }

    private func remove(_ pod: Pod) {
        guard let known = pods[pod.key], known.uid == pod.uid else { return }
        pods[pod.key] = nil
        changed(nil, known)
    }
}

extension Pod {
    /// Of all pods of the cluster at one time only one has it.
    var key: String { "\(namespace)/\(name)" }
}
