import Checkpoint
import Glibc
import Linux
import Runc
import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim
@testable import TaskService

/// A node on which containers live without processes: the shim that ships, its event loop and queues among it, with
/// stand-ins for runc, CRIU and the kernel. What takes its time there is a step, and happens when the test says so. Time
/// passes when the test says so, too.
final class StandInNode {
    /// Something that somebody else does next.
    struct Step {
        let what: String
        let happen: () -> Void
    }

    let loop: EventLoop
    let children: Children
    let directory: String
    private(set) var shim: Shim!
    private(set) var service: TaskService!
    /// containerd has been obeyed in that the shim is to end.
    private(set) var isShutDown = false
    private let clock: Clock
    var steps: [Step] = []
    /// Fails the next step of this name; what it fails with is the stand-in's.
    var failing: [String: any Error] = [:]
    /// By id.
    var containers: [String: StandInContainer] = [:]
    private(set) var events: [ContainerEvent] = []
    /// What must never be.
    private(set) var complaints: [String] = []
    private var lastPid: pid_t = firstPid
    /// Asked, and not answered yet.
    private(set) var unanswered: [Int: String] = [:]
    private var asked = 0
    /// What a pod's network waits for: it is prepared for longer than the container lives, which gets by without.
    private var networks: [(Result<Traffic, TrafficError>) -> Void] = []

    /// The kernel gives out none as large (PID_MAX_LIMIT is 4194304): what is done to one by mistake harms nobody.
    private static let firstPid: pid_t = 5_000_000

    private final class Clock { var ahead: UInt64 = 0 }

    init(wakesAtOnce: Int = 0) throws {
        let clock = Clock()
        self.clock = clock
        loop = try EventLoop { Instant(nanoseconds: Instant.now.nanoseconds + clock.ahead) }
        children = try Children(loop: loop)
        directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-life")
        var paths = ShimContext.Paths()
        paths.snapshots = "\(directory)/images"
        paths.wakes = "\(directory)/wakes"
        var policy = NodePolicy()
        policy.wakesAtOnce = wakesAtOnce
        let context = ShimContext(
            loop: loop, children: children, log: Log(to: try Descriptor.open("/dev/null", O_WRONLY)),
            namespace: "test", paths: paths, policy: policy, outside: outside,
            publish: { [unowned self] in publish($0) })
        shim = Shim(context: context)
        service = TaskService(shim: shim, onConnect: {}, onShutdown: { [unowned self] in isShutDown = true })
    }

    deinit { try? Files.removeTree(directory) }

    private var outside: Outside {
        Outside(
            runc: { [unowned self] id, _, options in
                let container = StandInContainer(id, self, imagesIn: "\(directory)/images/test/\(id)/images")
                containers[id] = container
                return container.runc(options)
            },
            checkpoint: { [unowned self] order, then in containers[order.container]?.checkpoint(order, then) },
            cgroup: { [unowned self] pid throws(SystemError) in
                guard let container = container(of: pid) else { throw SystemError("open", "\(pid)", code: ENOENT) }
                return container.cgroup
            },
            signal: { [unowned self] signal, pid throws(SystemError) in
                guard let container = container(of: pid) else { throw SystemError("kill", "\(pid)", code: ESRCH) }
                container.signal(signal, pid)
            },
            freeze: { [unowned self] cgroup throws(SystemError) in
                if let error = failing.removeValue(forKey: "freeze") as? SystemError { throw error }
                guard let container = containers.values.first(where: { $0.cgroup == cgroup }) else {
                    throw SystemError("open", "cgroup.freeze", code: ENOENT)
                }
                container.freeze()
                return { () throws(SystemError) in container.thaw() }
            },
            followTraffic: { [unowned self] _, then in networks.append(then) }, giveMemoryBack: { _ in })
    }

    private func container(of pid: pid_t) -> StandInContainer? {
        containers.values.first { $0.processes.contains(pid) }
    }

    func newPid() -> pid_t {
        lastPid += 1
        return lastPid
    }

    // MARK: Time

    /// Does `body` on the loop, and all that follows from it at once.
    func onLoop(_ body: @escaping () -> Void) {
        var isDone = false
        loop.soon {
            body()
            isDone = true
        }
        // Its errors are those of epoll_wait.
        try? loop.run(until: { isDone })
        for container in containers.values { container.check() }
    }

    func step(_ what: String, _ happen: @escaping () -> Void) { steps.append(Step(what: what, happen: happen)) }

    /// Lets the first step of this name happen, or the first of all.
    func next(_ what: String? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        guard let index = what == nil ? steps.indices.first : steps.firstIndex(where: { $0.what == what }) else {
            Issue.record("no step \(what ?? ""): \(steps.map(\.what))", sourceLocation: sourceLocation)
            return
        }
        happen(index)
    }

    func happen(_ index: Int) {
        let step = steps.remove(at: index)
        onLoop(step.happen)
    }

    /// All steps, and those that follow from them.
    func settle() { while !steps.isEmpty { happen(0) } }

    /// The same, with the time that it takes, until nothing is to come.
    func quiesce() {
        settle()
        while let next = loop.nextTimer {
            pass(next.since(loop.now))
            settle()
        }
    }

    /// Lets so much time pass, with what comes due in it.
    func pass(_ span: Instant.Span) {
        let end = loop.now + span
        while let next = loop.nextTimer, next <= end {
            clock.ahead += next.since(loop.now).nanoseconds + 1
            onLoop {}
        }
        clock.ahead += end.since(loop.now).nanoseconds
    }

    /// The preparation of pods' networks ends: without one.
    func endNetworks() {
        let waiting = networks
        networks = []
        onLoop { for then in waiting { then(.failure(TrafficError(description: "none here"))) } }
    }

    // MARK: What is told

    func complain(_ text: String) { complaints.append(text) }

    private func publish(_ event: ContainerEvent) {
        for complaint in EventOrder.complaints(about: event, after: events) { complain(complaint) }
        events.append(event)
    }

    /// A call: notes that it is answered, and once. Gives what it is answered with, as soon as it is.
    @discardableResult
    func ask<Value>(
        _ what: String, _ call: @escaping (@escaping Completion<Value>) -> Void
    ) -> Answer<Value> {
        asked += 1
        let number = asked
        unanswered[number] = what
        let answer = Answer<Value>()
        onLoop { [self] in
            call { [self] result in
                if unanswered.removeValue(forKey: number) == nil { complain("\(what) is answered twice") }
                answer.result = result
            }
        }
        return answer
    }

    final class Answer<Value> {
        fileprivate(set) var result: Result<Value, ShimError>?

        /// nil: none yet, or it succeeded.
        var refusal: ShimError.Kind? {
            if case .failure(let error) = result { error.kind } else { nil }
        }
        /// Fails a test that has none.
        var value: Value { get throws { try #require(result).get() } }
        var succeeded: Bool { if case .success = result { true } else { false } }
    }
}

/// The order in which containerd may hear of a container's life.
enum EventOrder {
    static func complaints(about event: ContainerEvent, after events: [ContainerEvent]) -> [String] {
        let id = container(of: event)
        let before = events.filter { container(of: $0) == id }
        var complaints: [String] = []
        if before.contains(where: isDeletion) { complaints.append("\(event) after its deletion") }
        let ends = before.compactMap(end)
        if ends.contains(where: { $0.process == id }), !isDeletion(event) {
            complaints.append("\(event) after its end")
        }
        // An exec of a former one's name has another pid.
        if let end = end(of: event), ends.contains(where: { $0 == end }) { complaints.append("\(end) twice") }
        return complaints
    }

    private static func isDeletion(_ event: ContainerEvent) -> Bool { if case .deleted = event { true } else { false } }

    /// The process whose end it tells.
    private static func end(of event: ContainerEvent) -> (process: String, pid: pid_t)? {
        if case .exited(_, let process, let pid, _) = event { (process, pid) } else { nil }
    }

    static func container(of event: ContainerEvent) -> String {
        switch event {
        case .created(let id, _, _, _, _), .started(let id, _), .execAdded(let id, _), .execStarted(let id, _, _),
            .exited(let id, _, _, _), .deleted(let id, _, _, _), .outOfMemory(let id), .paused(let id),
            .resumed(let id):
            id
        }
    }
}
