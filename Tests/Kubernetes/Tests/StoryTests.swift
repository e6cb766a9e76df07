import Commands
import Foundation
import TestCluster
import TestNode
import Testing

/// The user's way, from an empty cluster and back to it: apply, label, done; and away again.
@Suite(.enabled(if: Kubernetes.programs != nil, "KUBE_BIN names no Kubernetes"))
struct StoryTests {
    @Test(.enabled(if: Kubernetes.speaks(to: .previous), "this Kubernetes does not speak to containerd 1.7"))
    func fromNothingToNothingOnContainerd17() async throws { try await story(.previous) }

    @Test(.enabled(if: Kubernetes.speaks(to: .current), "this Kubernetes does not speak to containerd 2.1"))
    func fromNothingToNothingOnContainerd21() async throws { try await story(.current) }

    private func story(_ containerd: Containerd) async throws {
        try await Cluster.with("story.\(containerd.rawValue)", containerd) { cluster in
            let before = try await cluster.fingerprint()
            try await cluster.kubectl("apply", "-k", "/opt/checkout/config/production")
            try await cluster.apply(Cluster.web())
            try await waitsForLabel(cluster)
            try await cluster.label()
            try await sleepsAndWakes(cluster)
            try await uninstallIsRefused(cluster)
            try await uninstalls(cluster)
            let changed = Set(try await cluster.fingerprint()).symmetricDifference(before).sorted()
            #expect(changed == [])
        }
    }

    private func waitsForLabel(_ cluster: Cluster) async throws {
        try await eventually("the pod cannot be placed") {
            try await cluster.value(".items[0].status.conditions[0].message", of: "pods").contains("0/1 nodes")
        }
        #expect(
            try await cluster.value(".status.desiredNumberScheduled", of: "daemonset/zeropod-node", in: Cluster.system)
                == "0")
    }

    private func sleepsAndWakes(_ cluster: Cluster) async throws {
        try await cluster.awaitRollout("deployment/web")
        try await cluster.awaitSleep()
        let phase = try await cluster.value(".items[0].status.phase", of: "pods")
        #expect(phase == "Running")
        try await cluster.awaitEndpoints(of: "web")
        let address = try await cluster.value(".spec.clusterIP", of: "service/web")
        for origin in [Origin.node, .outside] {
            try await cluster.awaitSleep()
            try await cluster.expectAnswer(at: address, from: origin)
        }
        try await cluster.expectRestarts("0", of: "web")
    }

    private func uninstallIsRefused(_ cluster: Cluster) async throws {
        try await cluster.kubectl("apply", "-k", "/opt/checkout/config/uninstall")
        try await eventually("the uninstallation says who still needs the runtime", within: .seconds(180)) {
            try await cluster.kubectl(
                "logs", "-n", Cluster.system, "-l", "app.kubernetes.io/name=zeropod-node", "-c", "uninstall"
            ).text.contains("these containers use the runtime")
        }
        let address = try await cluster.value(".spec.clusterIP", of: "service/web")
        try await cluster.expectAnswer(at: address)
    }

    private func uninstalls(_ cluster: Cluster) async throws {
        try await cluster.kubectl("delete", "deployment,service", "web", "--timeout=180s", deadline: .seconds(190))
        try await cluster.kubectl(
            "wait", "pods", "-l", "app=web", "--for=delete", "--timeout=180s", deadline: .seconds(190))
        try await cluster.awaitRollout("daemonset/zeropod-node", in: Cluster.system)
        try await cluster.kubectl("delete", "-k", "/opt/checkout/config/uninstall", deadline: .seconds(240))
    }
}
