import JSON
import Linux
import Protobuf
import StatusAPI

/// What the daemon does in the cluster: it follows the pods of its node there, and tells what their containers do.
final class Cluster {
    let api: APIServer
    /// Of all nodes.
    let survey: ClusterSurvey
    let loop: EventLoop
    let log: Log
    private(set) var scaling: RequestScaling
    let originals: OriginalRequestsStore
    private let writesLabels: Bool
    private let node: String
    private let writesEvents: Bool
    private let shims: ShimSubscriptions
    private var nodeCheck: NodeCheck?
    private var pods: PodWatch?
    private var events: StatusEvents?
    private var keepers: [String: PodKeeper] = [:]
    private var reports: [String: ContainerReport] = [:]
    private var resizes: Resizing?
    private var skipped: Set<String> = []
    /// By pod, as the log has it.
    private var resizesTold: [String: Pod.PendingResize] = [:]
    private var leaving: Leaving?
    private enum Phase {
        case keeping
        /// The keepers are told one by one what they have to put back.
        case leaving
        /// All know, and may be done with it.
        case awaitingKeepers
    }
    private var phase = Phase.keeping

    init(_ options: DaemonOptions, _ api: APIServer, _ shims: ShimSubscriptions, loop: EventLoop, log: Log) {
        (self.api, self.shims, self.loop, self.log, node) = (api, shims, loop, log, options.nodeName)
        survey = ClusterSurvey(api)
        scaling = RequestScaling(
            asleep: options.inPlaceScaling ? ["cpu": options.scaledDownCPU, "memory": options.scaledDownMemory] : [:])
        originals = OriginalRequestsStore(options.state, log: log)
        (writesLabels, writesEvents) = (options.statusLabels, options.statusEvents)
    }

    func start() {
        let check = NodeCheck(api, node: node, loop: loop, log: log)
        nodeCheck = check
        check.run()
        if writesEvents { events = StatusEvents(api, node: node, loop: loop, log: log) }
        resizes = Resizing(api, loop: loop, log: log) { [unowned self] in lookAtAll() }
        resizes?.find()
        pods = PodWatch(api, node: node, loop: loop, log: log) { [unowned self] pod, gone in
            if let gone {
                keepers.removeValue(forKey: gone.key)?.end()
                resizesTold[gone.key] = nil
            }
            if let pod { look(at: pod) }
        } listed: { [unowned self] uids in
            originals.retain(uids)
        }
        pods?.start()
    }

    /// Told after every change of what shims say.
    func shimsChanged() {
        let now = shims.containers.filter { !$0.podName.isEmpty }
        for report in now { tell(report) }
        let gone = Set(reports.keys).subtracting(now.map(\.id))
        for id in gone { events?.forget(id) }
        reports = Dictionary(now.map { ($0.id, $0) }) { first, _ in first }
        lookAtAll()
    }

    private func lookAtAll() {
        for key in Set(reports.values.map { "\($0.podNamespace)/\($0.podName)" }) {
            if let pod = pod(key) { look(at: pod) }
        }
    }

    // MARK: The end

    /// Before the daemon ends.
    func leave(_ then: @escaping () -> Void) {
        let leaving = Leaving(api, loop: loop, log: log, then: then)
        self.leaving = leaving
        leaving.begin(node: node) { [unowned self] in
            scaling = RequestScaling(asleep: [:])
            phase = .leaving
            lookAtAll()
            phase = .awaitingKeepers
            settled()
        }
    }

    /// A keeper has nothing to do any more.
    func settled() {
        guard phase == .awaitingKeepers, keepers.values.allSatisfy(\.isSettled) else { return }
        leaving?.end()
    }

    // MARK: For the keepers

    func labels(of pod: Pod, _ containers: [ContainerReport]) -> [String: String?] {
        if !writesLabels { return [:] }
        return phase == .keeping ? StatusLabels.changes(of: pod, containers) : StatusLabels.removals(of: pod)
    }

    func annotations(of pod: Pod, _ containers: [ContainerReport]) -> [String: String?] {
        if !writesLabels { return [:] }
        return phase == .keeping
            ? StatusAnnotation.changes(of: pod, containers, node: node) : StatusAnnotation.removals(of: pod)
    }

    func pod(_ key: String) -> Pod? { pods?.pod(key) }

    func learn(_ pod: Pod) { pods?.learn(pod) }

    /// The newest of each name: while a container is started anew its predecessor may still be there.
    func containers(of pod: Pod) -> [ContainerReport] {
        let own = reports.values.filter { report in
            report.podNamespace == pod.namespace && report.podName == pod.name
                && (report.podUID == pod.uid || report.podUID == pod.localUID) && report.state != .exited
        }
        let newest = Dictionary(own.map { ($0.containerName, $0) }) { (first, second) in
            (first.since?.seconds ?? 0) >= (second.since?.seconds ?? 0) ? first : second
        }
        return newest.values.sorted { $0.containerName < $1.containerName }
    }

    /// Where requests are changed; nil while that is not known, or not possible.
    func resizePath(of pod: Pod) -> String? { resizes?.path(of: pod) }

    func resizeRefused(_ failure: APIFailure) { resizes?.refused(failure) }

    private func look(at pod: Pod) {
        if containers(of: pod).isEmpty { return }
        if !scaling.asleep.isEmpty, let obstacle = RequestScaling.obstacle(pod), skipped.insert(pod.uid).inserted {
            log.info("requests stay as they are", ["pod": pod.key, "reason": obstacle])
        }
        note(pod.pendingResize, of: pod)
        let keeper = keepers[pod.key] ?? PodKeeper(pod.key, self)
        keepers[pod.key] = keeper
        keeper.look()
    }

    /// On a full node a pod that has woken does not get its request back. It has its processor time all the same.
    private func note(_ pending: Pod.PendingResize?, of pod: Pod) {
        if let pending, resizesTold[pod.key] != pending {
            log.warning(
                "the kubelet has not put the requests of a pod into effect",
                ["pod": pod.key, "reason": pending.reason, "message": pending.message])
        }
        resizesTold[pod.key] = pending
    }

    // MARK: Events

    private func tell(_ report: ContainerReport) {
        guard let events else { return }
        // A daemon that was started anew tells of the last change again: the API server has it already, or has not.
        let old = reports[report.id] ?? StatusEvents.baseline(report, now: .now)
        let uid = pod("\(report.podNamespace)/\(report.podName)")?.uid ?? report.podUID
        for change in ContainerChange.between(old, report) {
            let time =
                switch change.kind {
                case .asleep where change.number == report.checkpoints?.count: report.lastCheckpoint
                case .awake where change.number == report.restores?.count: report.lastRestore
                case .frozen where change.number == report.freezes: report.lastFreeze
                case .thawed where change.number == report.thaws: report.lastThaw
                default: nil as Timestamp?
                }
            let moment = time.map { WallClockTime(seconds: $0.seconds, nanoseconds: $0.nanoseconds) } ?? .now
            events.tell(change, of: report, podUID: uid, at: moment)
        }
    }

    // MARK: For people

    var isReady: Bool { pods?.isSynchronized ?? false }

    /// Of pods of this node, in the order of their names.
    var pendingResizes: [(pod: String, resize: Pod.PendingResize)] {
        keepers.keys.sorted().compactMap { key in pod(key)?.pendingResize.map { (key, $0) } }
    }

    /// What does not work.
    var notes: [String] {
        let troubles = keepers.sorted { $0.key < $1.key }.map { ($0.key, $0.value.trouble) }.filter { !$0.1.isEmpty }
        let own = [api.trouble, resizes?.trouble ?? ""].filter { !$0.isEmpty } + (nodeCheck?.troubles ?? [])
        let pending = pendingResizes.map { ($0.pod, $0.resize.words) }
        return own + (troubles + pending).map { "\($0): \($1)" }
    }
}
