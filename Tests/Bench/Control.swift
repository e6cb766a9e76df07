import Commands
import Foundation
import Measure
import TestNode

/// What ours is measured against: the same application checkpointed and restored by `runc checkpoint` and
/// `runc restore`, with the criu options that upstream zeropod installs for runc.
///
/// It is a container of plain runc in a pod of the stock shim. The pod and a container that only sleeps are made
/// through CRI; the control is then started from a copy of that container's OCI specification (the mounts, namespaces,
/// masked paths and root file system that containerd gives every container of Kubernetes) with another command. The
/// stock shim cannot be asked to checkpoint and restore in place, and it would take the end of its own container's
/// process for the end of the container. What the control does not pay for is in its favour: no shim takes part, no
/// connection is held, its streams are /dev/null, and the times of nsenter and of this program's own are left out.
struct Control {
    let pod: Pod
    /// The container of the stock shim.
    let idle: Container
    private let application: Application
    private let id: String

    private static let runc = "runc --root /run/bench/runc --log /run/bench/log"
    private static let options = "tcp-close\nskip-in-flight\nnetwork-lock skip\n"

    static func start(_ application: Application, on node: TestNode) async throws -> Control {
        let pod = try await node.runPod("control", runtime: .runc)
        let idle = try await pod.start("idle", image: application.image, command: Application.idleCommand)
        let control = Control(pod: pod, idle: idle, application: application, id: "control-\(application.name)")
        try control.writeBundle()
        try await control.run("\(runc) run --detach --bundle \(control.directory) \(control.id)")
        return control
    }

    private var directory: String { "/run/bench/\(id)" }

    private func writeBundle() throws {
        let root = pod.node.root
        let stock = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/\(idle.id)"
        let data = try Data(contentsOf: URL(filePath: "\(root)\(stock)/config.json"))
        guard var spec = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            var process = spec["process"] as? [String: Any], var linux = spec["linux"] as? [String: Any]
        else { throw CocoaError(.propertyListReadCorrupt) }
        process["args"] = application.command
        linux["cgroupsPath"] = "/bench/\(id)"
        spec["process"] = process
        spec["linux"] = linux
        spec["root"] = ["path": "\(stock)/rootfs"]
        try FileManager.default.createDirectory(atPath: root + directory, withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: spec).write(to: URL(filePath: "\(root)\(directory)/config.json"))
        try FileManager.default.createDirectory(atPath: "\(root)/etc/criu", withIntermediateDirectories: true)
        try Data(Self.options.utf8).write(to: URL(filePath: "\(root)/etc/criu/runc.conf"))
    }

    /// Milliseconds from the start of `runc checkpoint` to its end; the processes are gone then.
    func sleep() async throws -> Double {
        try await run("\(Self.runc) checkpoint --image-path \(images) --work-path \(images) \(id)")
    }

    /// Milliseconds from the start of `runc restore` to the first byte of the answer to a request that is made as soon
    /// as it has returned.
    func wake(_ client: TimedClient) async throws -> Double {
        let restore = try await run(
            "\(Self.runc) restore --detach --bundle \(directory) --image-path \(images) --work-path \(images) \(id)")
        let request = try await application.ask(client, pod.ip4)
        _ = try await pod.node.shell("rm -r \(images)")
        return restore + request
    }

    private var images: String { "/var/lib/containerd/bench-\(id)" }

    /// Runs a command in the node and gives its milliseconds, without those of the way into the node. Its streams become
    /// the container's, and CRIU takes /dev/null or a pipe, but not a file of the node.
    @discardableResult private func run(_ command: String) async throws -> Double {
        let script = """
            begin=$EPOCHREALTIME
            \(command) </dev/null >/dev/null 2>&1
            status=$? end=$EPOCHREALTIME
            ((status == 0)) || { cat /run/bench/log \(images)/*.log | tail -n 40 >&2; exit 1; }
            echo $((${end/./} - ${begin/./}))
            """
        return (Double(try await pod.node.shell(script, deadline: .seconds(120)).trimmed) ?? .nan) / 1000
    }

    func remove() async throws {
        try await run("\(Self.runc) delete --force \(id)")
        try await pod.delete()
    }
}
