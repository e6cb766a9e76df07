import CRI
import Commands
import Foundation

/// A pod on a node, made and removed through CRI as the kubelet would.
package struct Pod: Sendable {
    package let node: TestNode
    package let config: PodConfig
    package let runtime: Runtime
    package let id: String
    package let ip4: String
    package let ip6: String
    /// Its path in the node.
    package let networkNamespace: String
    /// How long containerd's log was before this pod was made.
    let logStart: Int

    /// Ends and removes the pod with all its containers.
    package func delete() async throws {
        do {
            try await node.cri.stopPodSandbox(id)
        } catch  where runtime == .runc {
            // The stock shim can be gone before it has answered who killed its last process ("ttrpc: closed"). The
            // kubelet asks again; ours has to answer (SlowKillTests).
            try await node.cri.stopPodSandbox(id)
        }
        try await node.cri.removePodSandbox(id)
    }

    /// Creates a container and starts it. Without a command the image's own runs.
    package func start(
        _ name: String, image: String, command: [String] = [], environment: [String: String] = [:],
        adjust: (inout ContainerConfig) -> Void = { _ in }
    ) async throws -> Container {
        let container = try await create(
            name, image: image, command: command, environment: environment, adjust: adjust)
        try await container.start()
        return container
    }

    package func create(
        _ name: String, image: String, command: [String] = [], environment: [String: String] = [:],
        adjust: (inout ContainerConfig) -> Void = { _ in }
    ) async throws -> Container {
        var container = ContainerConfig(name: name, image: "zeropod.test/\(image):1")
        container.command = command
        container.environment = environment
        adjust(&container)
        let id = try await node.cri.createContainer(container, in: self.id, config)
        return Container(pod: self, id: id, name: name, logPath: container.logPath)
    }
}

extension TestNode {
    /// Starts a pod. Its name is made unique, so that tests may run side by side.
    package func runPod(
        _ name: String, runtime: Runtime, annotations: [String: String] = [:],
        adjust: (inout PodConfig) -> Void = { _ in }
    ) async throws -> Pod {
        let uid = UUID().uuidString.lowercased()
        let unique = "\(name)-\(uid.prefix(6))"
        var config = PodConfig(name: unique, uid: uid, logDirectory: "/var/log/pods/default_\(unique)_\(uid)")
        config.annotations = annotations
        adjust(&config)
        let logStart = logLength
        let id = try await cri.runPodSandbox(config, handler: runtime.rawValue)
        let status = try await cri.podSandboxStatus(id)
        return Pod(
            node: self, config: config, runtime: runtime, id: id,
            ip4: status.addresses.first { !$0.contains(":") } ?? "",
            ip6: status.addresses.first { $0.contains(":") } ?? "", networkNamespace: status.networkNamespace,
            logStart: logStart)
    }

    /// A pod for as long as `body` runs.
    package func withPod<Result>(
        _ name: String, runtime: Runtime, annotations: [String: String] = [:],
        adjust: (inout PodConfig) -> Void = { _ in }, _ body: (Pod) async throws -> Result
    ) async throws -> Result {
        let pod = try await runPod(name, runtime: runtime, annotations: annotations, adjust: adjust)
        let result: Result
        do {
            result = try await body(pod)
        } catch {
            Verdict.current?.failed()
            await Verdict.current?.explainOnce()
            try? await pod.delete()
            throw error
        }
        await Verdict.current?.explainOnce()
        try await pod.delete()
        return result
    }
}
