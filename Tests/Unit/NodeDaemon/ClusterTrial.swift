import Glibc
import JSON
import Linux
import Protobuf
import StatusAPI
import TTRPC
import Testing

@testable import NodeDaemon

/// A shim with one container that sleeps, whose pod's request was lowered.
final class ClusterTrial {
    let loop: EventLoop
    let directory: String
    private let shim: Server
    private(set) var server: StandInAPIServer?
    private(set) var cluster: Cluster?
    private var labels = JSON.object(JSON.Object())
    private var annotations = JSON.object(JSON.Object())
    private var watchers: [Reply] = []
    private var request = "250m"
    private(set) var patches: [String] = []
    var isLabelled = true
    /// Of the pod's status, beside what every pod has.
    var status: JSON = ["qosClass": "Burstable", "phase": "Running"]

    init() throws {
        directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-leaving")
        loop = try EventLoop()
        shim = Server(loop: loop) { _ in }
        for method in ["List", "Watch"] {
            shim.register(service: StatusService.name, method: method) { [unowned self] call, reply in
                // Once; nothing changes after that.
                guard call.payload.isEmpty || method == "List" else { return watchers.append(reply) }
                reply.succeed(
                    StatusList {
                        $0.generation = 1
                        $0.containers = [Self.asleep]
                    })
            }
        }
        try shim.listen(on: UnixSocket.listen("\(directory)/a.sock"))
        server = try StandInAPIServer(loop: loop) { [unowned self] in answer($0) }
    }

    deinit { try? Files.removeTree(directory) }

    private static let asleep = ContainerReport {
        ($0.id, $0.podNamespace, $0.podName, $0.podUID, $0.containerName) = ("0123", "d", "p", "u", "web")
        $0.state = .asleep
    }

    private var pod: JSON {
        [
            "metadata": [
                "name": "p", "namespace": "d", "uid": "u", "resourceVersion": "7",
                "labels": labels, "annotations": annotations,
            ],
            "spec": ["containers": [["name": "web", "resources": ["requests": ["cpu": .string(request)]]]]],
            "status": status,
        ]
    }

    private func answer(_ request: StandInAPIServer.Request) -> StandInAPIServer.Reply {
        if request.isWatch { return .init(staysOpen: true) }
        if request.path == "/api/v1" { return .init(body: #"{"resources":[{"name":"pods/resize"}]}"#) }
        if request.path.hasPrefix("/api/v1/nodes/") {
            let value = isLabelled ? #"{"zeropod.ctrox.dev/node":"true"}"# : "{}"
            return .init(body: #"{"metadata":{"labels":\#(value)}}"#)
        }
        if request.path.hasPrefix("/api/v1/namespaces/d/pods/p") {
            patches.append(request.body)
            if let document = try? JSON(parsing: Array(request.body.utf8)) { apply(document) }
            return .init(body: pod.text)
        }
        let list: JSON = ["metadata": ["resourceVersion": "9"], "items": [pod]]
        return request.path.hasPrefix("/api/v1/pods") ? .init(body: list.text) : .init(status: 404, body: "{}")
    }

    private func apply(_ patch: JSON) {
        for member in patch["metadata"]?["labels"]?.object?.members ?? [] {
            labels[member.key] = member.value == .null ? nil : member.value
        }
        for member in patch["metadata"]?["annotations"]?.object?.members ?? [] {
            annotations[member.key] = member.value == .null ? nil : member.value
        }
        if let cpu = patch["spec"]?["containers"]?.array?.first?["resources"]?["requests"]?["cpu"]?.string {
            request = cpu
        }
    }

    var annotation: String { annotations["status.zeropod.ctrox.dev/web"]?.string ?? "" }
    var state: String { "\(labels.object?.members.compactMap(\.value.string) ?? []) \(request)" }

    /// Far later than any of this takes.
    func await(_ isDone: () -> Bool) throws {
        var isLate = false
        let timer = loop.after(.seconds(60)) { isLate = true }
        try loop.run(until: { isLate || isDone() })
        loop.cancel(timer)
        #expect(!isLate, "it does not happen: \(state), \(patches)")
    }

    func start() throws {
        let options = try DaemonOptions([
            "--node-name", "n", "--status-labels", "--in-place-scaling", "--server", server?.url ?? "",
            "--shims", directory, "--state", "\(directory)/state",
        ])
        let log = Log(to: try .open("/dev/null", O_WRONLY))
        let shims = try ShimSubscriptions(directory, loop: loop, log: log)
        let transfers = try #require(Transfers(loop: loop))
        let cluster = Cluster(
            options, APIServer(.init(url: options.server), transfers), shims, loop: loop, log: log)
        self.cluster = cluster
        shims.changed = { [unowned cluster] in cluster.shimsChanged() }
        cluster.start()
        cluster.shimsChanged()
        try self.await { state == #"["SCALED_DOWN"] 1m"# }
        #expect(annotation.contains(#""why":"nobody needs it"#))
    }

    func leave() throws {
        var hasLeft = false
        cluster?.leave { hasLeft = true }
        try self.await { hasLeft }
        cluster = nil
    }
}
