import Foundation

package struct PodStatus: Sendable {
    package let isReady: Bool
    /// IPv4 and IPv6, in the order of the network's configuration.
    package let addresses: [String]
    package let annotations: [String: String]
    package let runtimeHandler: String
    /// Where the pod's network namespace is bound to a file.
    package let networkNamespace: String
}

/// The part of containerd's verbose answer that is of use.
private struct SandboxInfo: Decodable {
    struct Spec: Decodable { let linux: Linux }
    struct Linux: Decodable { let namespaces: [Namespace] }
    struct Namespace: Decodable {
        let type: String
        let path: String?
    }
    let runtimeSpec: Spec
}

extension CRI {
    /// Returns the sandbox's id.
    package func runPodSandbox(_ config: PodConfig, handler: String) async throws -> String {
        try await call("RunPodSandbox") {
            $0.set(1, config.message)
            $0.set(2, handler)
        }.string(1)
    }

    package func stopPodSandbox(_ id: String) async throws {
        _ = try await call("StopPodSandbox") { $0.set(1, id) }
    }

    package func removePodSandbox(_ id: String) async throws {
        _ = try await call("RemovePodSandbox") { $0.set(1, id) }
    }

    package func podSandboxStatus(_ id: String) async throws -> PodStatus {
        let reply = try await call("PodSandboxStatus") {
            $0.set(1, id)
            $0.set(2, true)
        }
        let status = reply.message(1)
        let network = status.message(5)
        let info = try JSONDecoder().decode(SandboxInfo.self, from: Data((reply.map(2)["info"] ?? "").utf8))
        return PodStatus(
            isReady: status.integer(3) == 0,
            addresses: [network.string(1)] + network.messages(2).map { $0.string(1) },
            annotations: status.map(8), runtimeHandler: status.string(9),
            networkNamespace: info.runtimeSpec.linux.namespaces.first { $0.type == "network" }?.path ?? "")
    }

    /// The ids of all sandboxes, whatever state they are in.
    package func listPodSandboxes() async throws -> [String] {
        try await call("ListPodSandbox").messages(1).map { $0.string(1) }
    }
}
