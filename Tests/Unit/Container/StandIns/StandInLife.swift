import Checkpoint
import ContainerdAPI
import Glibc
import Protobuf
import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim
@testable import TaskService

/// One container on a stand-in node, and the calls that it may get, as containerd makes them.
final class StandInLife {
    let node: StandInNode
    let id: String
    var container: Container { get throws { try node.shim.container(id) } }
    var outside: StandInContainer { get throws { try #require(node.containers[id]) } }
    /// A fifo, if the container shall have one.
    var stdin = ""
    var bundle: String { "\(node.directory)/\(id)" }

    init(on node: StandInNode, _ id: String = "one", annotations: [String: String] = [:]) throws {
        (self.node, self.id) = (node, id)
        let lines = annotations.map { "\"zeropod.ctrox.dev/\($0.key)\": \"\($0.value)\"" }.joined(separator: ",")
        try Files.makeDirectories(bundle)
        try Files.write(
            """
            {"annotations": {\(lines)},
             "linux": {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "mount"}]}}
            """, to: "\(bundle)/config.json")
    }

    // MARK: Calls

    typealias Answer = StandInNode.Answer

    @discardableResult func create() -> Answer<CreateTaskResponse> {
        node.ask("Create") { [self] then in
            let request = CreateTaskRequest {
                $0.id = id
                $0.bundle = bundle
                $0.stdin = stdin
            }
            node.service.create(request, then)
        }
    }
    func state(_ exec: String = "") -> Answer<StateResponse> {
        node.ask("State") { [self] then in
            let request = StateRequest {
                $0.id = id
                $0.execID = exec
            }
            node.service.state(request, then)
        }
    }
    func pids() -> Answer<PidsResponse> {
        node.ask("Pids") { [self] in node.service.pids(PidsRequest { $0.id = id }, $0) }
    }
    func connected() -> Answer<ConnectResponse> {
        node.ask("Connect") { [self] in node.service.connect(ConnectRequest { $0.id = id }, $0) }
    }
    func stats() -> Answer<StatsResponse> {
        node.ask("Stats") { [self] in node.service.stats(StatsRequest { $0.id = id }, $0) }
    }
    func wait() -> Answer<WaitResponse> {
        node.ask("Wait") { [self] in _ = node.service.wait(WaitRequest { $0.id = id }, $0) }
    }
    @discardableResult func start(_ exec: String = "") -> Answer<StartResponse> {
        node.ask("Start \(exec)") { [self] then in
            let request = StartRequest {
                $0.id = id
                $0.execID = exec
            }
            node.service.start(request, then)
        }
    }
    @discardableResult func exec(_ exec: String) -> Answer<Empty> {
        node.ask("Exec") { [self] then in
            let request = ExecProcessRequest {
                $0.id = id
                $0.execID = exec
            }
            node.service.exec(request, then)
        }
    }
    @discardableResult func kill(_ signal: Int32, _ exec: String = "", all: Bool = false) -> Answer<Empty> {
        node.ask("Kill \(signal)") { [self] then in
            let request = KillRequest {
                $0.id = id
                $0.execID = exec
                $0.signal = UInt32(signal)
                $0.all = all
            }
            node.service.kill(request, then)
        }
    }
    @discardableResult func pause() -> Answer<Empty> {
        node.ask("Pause") { [self] in node.service.pause(PauseRequest { $0.id = id }, $0) }
    }
    @discardableResult func resume() -> Answer<Empty> {
        node.ask("Resume") { [self] in node.service.resume(ResumeRequest { $0.id = id }, $0) }
    }
    @discardableResult func update(_ resources: String = "{}") -> Answer<Empty> {
        node.ask("Update") { [self] then in
            let request = UpdateTaskRequest {
                $0.id = id
                $0.resources = AnyMessage(typeURL: "", value: Array(resources.utf8))
            }
            node.service.update(request, then)
        }
    }
    @discardableResult func export() -> Answer<Empty> {
        node.ask("Checkpoint") { [self] in node.service.checkpoint(CheckpointTaskRequest { $0.id = id }, $0) }
    }
    func resizePty() -> Answer<Empty> {
        node.ask("ResizePty") { [self] in node.service.resizePty(ResizePtyRequest { $0.id = id }, $0) }
    }
    func closeIO() -> Answer<Empty> {
        node.ask("CloseIO") { [self] then in
            let request = CloseIORequest {
                $0.id = id
                $0.stdin = true
            }
            node.service.closeIO(request, then)
        }
    }
    @discardableResult func delete(_ exec: String = "") -> Answer<DeleteResponse> {
        node.ask("Delete \(exec)") { [self] then in
            let request = DeleteRequest {
                $0.id = id
                $0.execID = exec
            }
            node.service.delete(request, then)
        }
    }
    @discardableResult func shutdown() -> Answer<Empty> {
        node.ask("Shutdown") { [self] in node.service.shutdown(ShutdownRequest(), $0) }
    }

    /// What people ask for.
    @discardableResult func sleepNow() -> Answer<Void> { ask("zeropod sleep") { $0.sleepNow($1) } }
    @discardableResult func wakeNow() -> Answer<Void> { ask("zeropod wake") { $0.wakeNow($1) } }

    private func ask(_ what: String, _ call: @escaping (Container, @escaping Completion<Void>) -> Void) -> Answer<Void>
    {
        node.ask(what) { [node, id] then in
            do throws(ShimError) { call(try node.shim.container(id), then) } catch { then(.failure(error)) }
        }
    }

    // MARK: What happens to it

    /// Somebody connects, while connections are held.
    func connect() throws {
        let held = try container.connectionHeld
        node.onLoop(held)
    }

    /// It has been idle for as long as it takes, and is looked at, as `Container+Look` would.
    func look(after span: Instant.Span? = nil) throws {
        let container = try container
        node.pass(span ?? container.idleTime)
        node.onLoop { [node] in
            let isBusy = container.wereAtWork(until: node.loop.now)
            container.tellNow { $0.looked(at: $1, ports: [80], lastActivity: 0, isBusy: isBusy) }
        }
    }

    // MARK: Ways into its states

    /// On a node of its own.
    static func running(_ annotations: [String: String] = [:]) throws -> StandInLife {
        let life = try StandInLife(on: try StandInNode(), annotations: annotations)
        life.run()
        return life
    }

    func run() {
        create()
        node.settle()
        start()
        node.settle()
    }

    func runAndSleep() throws {
        run()
        try fallAsleep()
    }

    func fallAsleep() throws {
        try look()
        for step in ["dump stands still", "dump has written", "dump answers"] { node.next(step) }
        node.settle()
        #expect(try container.state == .asleep)
    }

    func finishRestore() {
        for step in ["restore begins", "restore is complete", "restore answers"] { node.next(step) }
    }

    /// CRIU does not do it, so it is frozen.
    func runAndFreeze() throws {
        run()
        try look()
        node.failing["dump stands still"] = CheckpointError.lossy(reason: "it has an io_uring")
        node.next("dump stands still")
        node.next("dump answers")
        #expect(try container.state == .frozen)
    }

    // MARK: Its end

    func endAndExpectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let complaints = leftovers() + node.complaints
        #expect(complaints == [], sourceLocation: sourceLocation)
    }

    /// Who waits though nothing is under way: nobody may, unless the container is paused.
    func waitingForNothing() -> [String] {
        node.failing = [:]
        node.quiesce()
        if (try? container.state) == .exited { node.endNetworks() }
        node.settle()
        guard let container = try? container, !container.isPaused else { return [] }
        return node.unanswered.values.filter { $0 != "Wait" }.map { "\($0) waits for nothing" }
    }

    /// Ends it; gives what is left then, and should not be.
    func leftovers() -> [String] {
        weak let released = try? container
        node.failing = [:]
        kill(SIGKILL)
        node.quiesce()
        node.endNetworks()
        delete()
        node.quiesce()
        var left = node.unanswered.values.map { "\($0) is not answered" }
        if released != nil { left.append("the container is still there") }
        if node.containers[id]?.processes.isEmpty == false { left.append("processes are left") }
        if node.containers[id]?.pagesToCome != 0 { left.append("a page server is left") }
        if node.loop.nextTimer != nil { left.append("a timer is left") }
        if Files.exists("\(node.directory)/images/test/\(id)") { left.append("images are left") }
        if node.shim.isEmpty, (try? Files.names(in: "\(node.directory)/wakes")) ?? [] != [] {
            left.append("it waits to wake")
        }
        return left
    }
}
