import Checkpoint
import DataPath
import Glibc
import Lifecycle
import Linux
import Runc
import StdIO

/// One container: what containerd calls a task. The room where the two ways meet: calls come in from the task service,
/// and word of connections from its sockets, and the lifecycle decides what becomes of both.
///
/// This class holds the parts together; the verbs are in `Container+….swift`, one concept a file. All of it runs on the
/// event loop.
package final class Container {
    package let id: String
    package let bundle: String
    package let rootfs: [RootMount]
    package let main: TaskProcess
    package internal(set) var execs: [String: TaskProcess] = [:]
    /// Execs that have been added and not started: what to run.
    var pendingExecs: [String: [UInt8]] = [:]

    let context: ShimContext
    let runc: RuncCalls
    let spec: OCISpec
    let configuration: ContainerConfiguration
    /// What the container is restored from when it is started; nil: it begins anew.
    let origin: Shim.Origin?

    /// What happens to the container, and what is done about it.
    private(set) lazy var events = EventQueue(
        Lifecycle(policy: policy),
        // Events are dealt with also if the last owner of this container lets go of it.
        soon: { [unowned self] body in context.loop.soon { [self] in withExtendedLifetime(self, body) } },
        perform: { [unowned self] in perform($0) }, settled: { [unowned self] in settled() })
    var lifecycle: Lifecycle { events.lifecycle }
    private let policy: Policy
    var waitingWork: [Lifecycle.Work: Completion<Lifecycle.Work>] = [:]
    var lastWork: Lifecycle.Work = 0
    var nextLook: Timer?
    /// When a container that sleeps wakes by the clock.
    var wakeTimer: Timer?
    /// Set while the pod has slept as often as it may.
    var mayNotSleepUntil: Instant?
    /// Ports of the annotation ports-map on which a process has been seen to listen.
    var portsListenedOn: Set<UInt16> = []
    /// The packets that the last look knew of.
    var lastActivity: Activity?
    var work = WorkRecord()
    /// The pod's network as this container uses it; nil until the first look, and for containers that never sleep.
    var traffic: Traffic?
    /// The data of the state that it is in.
    var stage = Stage.awake(nil)
    /// nil: an exit of the init is told at once.
    var heldExit: HeldExit?
    /// What a deletion waits for.
    let workUnderWay = WorkUnderWay()
    /// Callers that wait for the deletion under way.
    var deletions: [Completion<(pid: pid_t, exit: TaskProcess.Exit)>] = []
    /// The container whose process namespace this one is in, and what keeps it awake.
    var target: (container: Container, work: Lifecycle.Work)?
    /// When the sleep or the wake under way was decided.
    var changeBegan = Instant.now
    let snapshot: Snapshot
    package internal(set) var isPaused = false
    /// Where the processes are accounted. Kept from the start on: asleep there is no process to ask.
    package internal(set) var cgroup: Cgroup?
    package var history = SleepHistory()
    /// Callers that wait for the sleep that they asked for.
    var sleepers: [Completion<Void>] = []
    /// Whether the log says why checkpoints are not on the container's account.
    var hasToldOfAccount = false
    /// What those who watch have been told.
    var lastTold: (state: Lifecycle.State, reasons: ReasonsToStayAwake)
    var execRhythm = ExecRhythm()
    /// From the creation to the exit, asleep too.
    var outOfMemory: OutOfMemoryWatch?

    init(
        id: String, bundle: String, rootfs: [RootMount], streams: StreamPaths, runc: RuncCalls, spec: OCISpec,
        configuration: ContainerConfiguration, origin: Shim.Origin?, context: ShimContext
    ) {
        self.id = id
        self.bundle = bundle
        self.rootfs = rootfs
        self.runc = runc
        self.spec = spec
        self.configuration = configuration
        self.origin = origin
        self.context = context
        main = TaskProcess(id: "", streams: streams)
        snapshot = Snapshot(
            directory: context.paths.snapshot(namespace: context.namespace, container: id),
            rules: context.imageRules(
                pod: PodNetworks.name(of: spec, container: id, namespace: context.namespace)))
        policy = Policy(
            scaleDownAfter: configuration.scaleDownAfter, first: configuration.firstScaleDownAfter,
            longestStart: context.policy.longestStart,
            standingReasons: Self.standingReasons(spec, configuration, streams),
            sleepsWithoutPorts: !configuration.datagramPorts.isEmpty, ways: configuration.sleep,
            workCounts: configuration.activity == .work)
        let lifecycle = Lifecycle(policy: policy)
        lastTold = (lifecycle.state, lifecycle.reasons)
    }

    private static func standingReasons(
        _ spec: OCISpec, _ configuration: ContainerConfiguration, _ streams: StreamPaths
    ) -> [Reason] {
        var reasons: [Reason] = []
        if spec.containerType == .sandbox { reasons.append(.sandbox) }
        if !configuration.isSelected { reasons.append(.notSelected) }
        if configuration.scaleDownAfter == 0 { reasons.append(.disabled) }
        if configuration.checkpointingDisabled { reasons.append(.checkpointingDisabled) }
        if streams.terminal || spec.terminal { reasons.append(.terminal) }
        if isOnNodesNetwork(spec) { reasons.append(.hostNetwork) }
        if spec.namespace("pid")?.path != "" { reasons.append(.sharedProcesses) }
        return reasons
    }

    /// containerd gives each container of a pod the sandbox's namespace, which may be the node's.
    private static func isOnNodesNetwork(_ spec: OCISpec) -> Bool {
        guard let given = spec.namespace("network") else { return true }
        if given.path.isEmpty { return false }
        do throws(SystemError) {
            return try Namespace(.network, path: given.path).inode == Namespace.own(.network).inode
        } catch {
            // runc will fail on it, with a better error.
            return false
        }
    }

    /// The root file system's mount point.
    var root: String { "\(bundle)/rootfs" }

    /// A line of the shim's log about this container.
    var label: KeyValuePairs<String, String> { ["container": id] }

    /// - Parameter exec: empty for the init.
    package func process(_ exec: String) throws(ShimError) -> TaskProcess {
        if exec.isEmpty { return main }
        guard let process = execs[exec] else { throw ShimError(.notFound, "exec \(exec) of container \(id) not found") }
        return process
    }

    /// The processes, as containerd may see them. A sleeping container shows the pid that it had.
    package func processes() throws(ShimError) -> [pid_t] {
        if main.exit != nil { return [] }
        // What is in the cgroups then belongs to CRIU.
        if lifecycle.state == .asleep || lifecycle.state.isBeingRestored { return [main.pid] }
        let pids: [pid_t]
        do throws(SystemError) {
            pids = try (cgroup?.processes() ?? []).filter { $0 != wayBack?.placeholder }
        } catch {
            throw ShimError(error)
        }
        return pids.isEmpty && main.pid != 0 ? [main.pid] : pids
    }
}
