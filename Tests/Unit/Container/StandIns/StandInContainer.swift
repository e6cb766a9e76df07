import Glibc
import Linux

@testable import Lifecycle
@testable import Linux
@testable import Shim

/// What the kernel has of a container: processes, and one freezer for all of them, as runc and the shim use it. It imitates
/// a first process with a handler for SIGTERM, and none for other signals.
final class StandInContainer {
    let id: String
    unowned let node: StandInNode
    let images: String
    let cgroup: Cgroup
    /// Those that are there, the init first.
    private(set) var processes: [pid_t] = []
    /// The init that runc knows; 0: it knows no such container.
    var knownInit: pid_t = 0
    /// By the freezer of the control group.
    private(set) var standsStill = false
    /// CRIU holds them in the middle of a dump.
    var isSeized = false
    /// They have been ended by CRIU, and are not back.
    var isAway = false
    /// What the init has as its standard input, if it has one; CRIU keeps it.
    var stdin: SharedDescriptor?
    /// Memory is still on its way.
    var pagesToCome = 0
    /// Processor time, in milliseconds.
    private var used: UInt64 = 0
    /// Ends whose news is on its way to the shim.
    private(set) var unreported: Set<pid_t> = []
    private var waitingSignals: [(signal: Int32, pid: pid_t)] = []

    /// SIGTERM's handler ends the program with this status.
    static let ending: Int32 = 7

    init(_ id: String, _ node: StandInNode, imagesIn images: String) {
        (self.id, self.node, self.images) = (id, node, images)
        cgroup = Cgroup(directories: ["": "\(node.directory)/cgroup/\(id)"])
        // Its errors show as processes that are missed.
        try? Files.makeDirectories("\(node.directory)/cgroup/\(id)")
        try? compute(milliseconds: 0)
    }

    var initial: pid_t? { processes.first }
    var isKnownInitAlive: Bool { processes.contains(knownInit) }

    func start() -> pid_t {
        let pid = node.newPid()
        processes.append(pid)
        list()
        return pid
    }

    private func list() {
        let lines = processes.map { "\($0)\n" }.joined()
        try? Files.write(lines, to: cgroup.directories.values.joined() + "/cgroup.procs")
    }

    // MARK: Ends

    /// The kernel ends the others of a pid namespace with its init. Word of it reaches the shim later, in any order.
    func end(_ pid: pid_t, _ status: ExitStatus) {
        guard processes.contains(pid) else { return }
        let ended = pid == initial ? processes : [pid]
        processes.removeAll { ended.contains($0) }
        list()
        for process in ended {
            waitingSignals.removeAll { $0.pid == process }
            unreported.insert(process)
            let how = process == pid ? status : .signaled(SIGKILL)
            node.step("exit") { [self] in
                unreported.remove(process)
                node.children.ended(process, how)
            }
        }
    }

    func signal(_ signal: Int32, _ pid: pid_t) {
        // As cgroups v1 has it: what stands still ends when it goes on. What CRIU holds is ended at once.
        if standsStill || isSeized && signal != SIGKILL { return waitingSignals.append((signal, pid)) }
        if signal == SIGKILL { end(pid, .signaled(SIGKILL)) }
        if signal == SIGTERM { end(pid, .exited(Self.ending)) }
    }

    /// The program ends by itself, if it can do anything now.
    func exit(_ pid: pid_t) {
        if !standsStill && !isSeized { end(pid, .exited(3)) }
    }

    // MARK: Work

    func compute(milliseconds: UInt64) throws {
        used += milliseconds
        try Files.write("usage_usec \(used * 1000)\n", to: cgroup.directories.values.joined() + "/cpu.stat")
    }

    // MARK: Standing still

    func freeze() { standsStill = true }

    func thaw() {
        standsStill = false
        deliver()
    }

    func letGo() {
        isSeized = false
        deliver()
    }

    private func deliver() {
        let waiting = waitingSignals
        waitingSignals = []
        for (signal, pid) in waiting where processes.contains(pid) { self.signal(signal, pid) }
    }

    /// CRIU ends what it has dumped. The shim hears of its children's ends.
    func takeAway() {
        (isSeized, isAway) = (false, true)
        if let initial { end(initial, .signaled(SIGKILL)) }
    }

    // MARK: What must always hold

    func check() {
        guard let container = try? node.shim.container(id), knownInit != 0 else { return }
        let state = container.lifecycle.state
        if state == .exited { return }
        // Or it is about to be known what has become of it.
        let isUndecided =
            !unreported.isEmpty
            || !node.steps.isEmpty
                && (state == .starting || state.isBeingCheckpointed || state.isBeingRestored)
        if initial == nil, !(isAway && hasImages), !isUndecided, container.main.pid != 0 {
            node.complain("\(state): there are neither processes nor images")
        }
        if state == .asleep, !isAway || !hasImages { node.complain("asleep with processes, or without images") }
        if state == .asleep, node.containers.count == 1, node.loop.nextTimer != nil {
            node.complain("asleep with a timer")
        }
        if state == .frozen, !standsStill, initial != nil { node.complain("frozen, and it runs") }
        if state == .running, isAway { node.complain("running without processes") }
    }

    var hasImages: Bool { Files.exists("\(images)/pages-1.img") }
}
