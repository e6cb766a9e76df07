import Commands
import TestCluster
import TestNode
import Testing

/// A node that comes up again, with Kubernetes around it.
@Suite(.enabled(if: Kubernetes.programs != nil, "KUBE_BIN names no Kubernetes"))
struct RebootTests {
    /// What a sleeper has on disk needs the kernel that has gone. So it is started anew, and its images go; the kubelet
    /// says that the node was rebooted, and the shim whose images it has removed.
    @Test func sleepersAreStartedAnew() async throws {
        try await Cluster.with("reboot", Kubernetes.newestContainerd) { cluster in
            try await cluster.install()
            try await cluster.apply(Cluster.web())
            try await cluster.awaitRollout("deployment/web")
            let pod = try await cluster.pod("web")
            try await cluster.awaitLabel("SCALED_DOWN", of: "web")
            if Kubernetes.resizes { try await cluster.awaitRequests("1m 1Ki", of: "web") }
            let former = try await cluster.container(of: pod)
            #expect(try await cluster.images().contains(former))

            let cluster = try await cluster.reboot()
            try await eventually("another container runs in its place", within: .seconds(240)) {
                let now = try await cluster.container(of: pod)
                return !now.isEmpty && now != former
            }
            try await cluster.expectRestarts("1", of: "web")
            try await cluster.awaitRollout("deployment/web")
            try await cluster.awaitRollout("daemonset/zeropod-node", in: Cluster.system)
            let now = try await cluster.pod("web")
            #expect(now == pod)
            try await isSaid(of: former, on: cluster)
            try await sleepsAndWakes(pod, on: cluster)
        }
    }

    private func isSaid(of former: String, on cluster: Cluster) async throws {
        #expect(try await !cluster.images().contains(former))
        // What shims say comes into containerd's log a moment later.
        try await eventually("the shim that has removed the images says so") {
            let log = try await cluster.node.shell("cat /var/log/containerd.log").text
            return log.replacing("\\", with: "").contains("of=\"k8s.io/\(former)\"")
        }
        try await eventually("an event of the node tells of the reboot") {
            try await cluster.kubectl("get", "events").text.contains("has been rebooted, boot id: ")
        }
    }

    /// As before, and with the requests that it had before it slept.
    private func sleepsAndWakes(_ pod: String, on cluster: Cluster) async throws {
        try await cluster.awaitSleep()
        try await cluster.awaitLabel("SCALED_DOWN", of: "web")
        try await eventually("it answers through its service", within: .seconds(120)) {
            try await cluster.get("web").code == 200
        }
        let address = try await cluster.value(".spec.clusterIP", of: "service/web")
        if Kubernetes.resizes { try await cluster.awaitRequests("50m 32Mi", of: "web", keptAwakeBy: address) }
        try await cluster.awaitSleep()
        try await cluster.expectRestarts("1", of: "web")
    }
}

extension Cluster {
    /// Containers that have images on the node's disk.
    fileprivate func images() async throws -> [String] {
        try await node.shell("ls /var/lib/zeropod/k8s.io").lines.map(String.init)
    }
}
