import Commands
import Foundation
import TestNode

/// A Kubernetes of one node. The node begins without our runtime and without criu, with the image of both at hand.
package struct Cluster: Sendable {
    package let node: TestNode

    static let script = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../../Kubernetes/cluster").standardized.path()

    private static func up(_ name: String, _ containerd: Containerd) async throws -> Cluster {
        try await TestNode.down(name)
        // The first cluster on a machine fetches what it is made of.
        try await Command.run(
            [script, "up", name, "--containerd", containerd.rawValue, Kubernetes.programs ?? "KUBE_BIN"],
            deadline: .seconds(1500))
        return Cluster(node: try await TestNode.attach(name, containerd: containerd))
    }

    /// A cluster for as long as `body` runs; what fails is explained while it is still there.
    package static func with(
        _ name: String, _ containerd: Containerd, _ body: (Cluster) async throws -> Void
    ) async throws {
        do {
            let cluster = try await up(name, containerd)
            do {
                try await cluster.forgetRuntime()
                try await body(cluster)
            } catch {
                print(await cluster.diagnosis())
                throw error
            }
        } catch {
            try await TestNode.down(name)
            throw error
        }
        try await TestNode.down(name)
    }

    /// Ends everything on the node at once, and starts it again from its disk, Kubernetes included.
    package func reboot() async throws -> Cluster {
        try await Command.run([Self.script, "reboot", node.name], deadline: .seconds(600))
        return Cluster(node: try await TestNode.attach(node.name, containerd: node.containerd))
    }

    /// The test node knows the runtime; a user's does not, and has no criu or an old one.
    private func forgetRuntime() async throws {
        try await node.shell(
            """
            set -e
            config=/etc/containerd/config.toml
            awk '/^\\[/ || /^#/ { ours = /runtimes.zeropod/ } !ours' $config >/tmp/config && cat /tmp/config >$config
            rm /usr/sbin/criu
            systemctl restart containerd
            ctr -n k8s.io images import /opt/checkout/build/image/zeropod.tar
            """, deadline: .seconds(120))
    }

    /// Runs kubectl as the cluster's administrator.
    @discardableResult
    package func kubectl(
        _ arguments: String..., input: String = "", deadline: Duration = .seconds(120), expecting: Int32? = 0
    ) async throws -> Output {
        let quoted = arguments.map { "'\($0)'" }.joined(separator: " ")
        return try await node.run(
            "bash", "-c", "exec /opt/tools/kubectl --kubeconfig /etc/kubernetes/admin.conf \(quoted)",
            input: Data(input.utf8), deadline: deadline, expecting: expecting)
    }

    /// One value of an object, by its JSONPath.
    package func value(_ path: String, of object: String, in namespace: String = "default") async throws -> String {
        try await kubectl("get", "-n", namespace, object, "-o", "jsonpath={\(path)}").text
    }

    package func apply(_ manifest: String) async throws { try await kubectl("apply", "-f", "-", input: manifest) }

    /// What a person needs to see after a failure.
    package func diagnosis() async -> String {
        var report = "=== the cluster on \(node.name)\n"
        for words in [
            ["get", "pods,daemonsets,deployments", "-A", "-o", "wide"],
            ["get", "events", "-A", "--sort-by=.lastTimestamp"],
            ["describe", "pods", "-A"],
            [
                "logs", "-n", "zeropod-system", "-l", "app.kubernetes.io/name=zeropod-node", "--all-containers",
                "--prefix",
            ],
        ] {
            let output = try? await node.run(
                "bash", "-c",
                "exec /opt/tools/kubectl --kubeconfig /etc/kubernetes/admin.conf \(words.joined(separator: " ")) | tail -n 150",
                expecting: nil)
            report +=
                "--- kubectl \(words.joined(separator: " "))\n\(output.map { $0.text + $0.errorText } ?? "no answer\n")"
        }
        let kubelet = try? await node.shell("tail -n 60 /var/log/kubernetes/kubelet.log", expecting: nil)
        return report + "--- kubelet\n\(kubelet?.text ?? "no answer\n")" + (await node.diagnosis())
    }
}
