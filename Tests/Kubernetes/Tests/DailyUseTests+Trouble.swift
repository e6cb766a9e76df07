import Commands
import TestCluster
import TestNode
import Testing

/// What goes wrong in clusters, and what is said of it.
extension DailyUseTests {
    /// The page of the daemon, as it is when it contains a text.
    private func awaitPage(_ what: String, contains text: String, on cluster: Cluster) async throws {
        try await eventually(what, within: .seconds(120)) {
            let daemon = try await cluster.value(".items[0].status.podIP", of: "pods", in: Cluster.system)
            return try await cluster.node.get(daemon, port: 8080, path: "/").text.contains(text)
        }
    }

    @Test func anAPIServerThatRefusesIsQuoted() async throws {
        try await withWeb("refused") { cluster in
            let bindings = ["status-labels", "in-place-scaling"].map { "zeropod:\($0)" }
            for binding in bindings { try await cluster.kubectl("delete", "clusterrolebinding", binding) }
            do {
                // Another pod, which has no label yet.
                try await cluster.kubectl("rollout", "restart", "deployment/refused")
                try await cluster.awaitRollout("deployment/refused")
                try await awaitPage("the page says so", contains: "cannot patch resource &quot;pods&quot;", on: cluster)
                try await cluster.awaitSleep("refused")
            } catch {
                try await cluster.kubectl("apply", "-k", "/opt/checkout/config/production")
                throw error
            }
            try await cluster.kubectl("apply", "-k", "/opt/checkout/config/production")
            try await cluster.awaitService("refused")
        }
    }

    @Test func aRuntimeClassWithoutTheLabelIsNamed() async throws {
        let cluster = try cluster()
        let patch = #"[{"op": "remove", "path": "/scheduling"}]"#
        try await cluster.kubectl("patch", "runtimeclass", "zeropod", "--type=json", "-p", patch)
        do {
            try await cluster.kubectl("rollout", "restart", "-n", Cluster.system, "daemonset/zeropod-node")
            try await cluster.awaitRollout("daemonset/zeropod-node", in: Cluster.system)
            let text = "the RuntimeClass &#39;zeropod&#39; does not select nodes by the label"
            try await awaitPage("the page says so", contains: text, on: cluster)
        } catch {
            try await cluster.kubectl("apply", "-k", "/opt/checkout/config/production")
            throw error
        }
        try await cluster.kubectl("apply", "-k", "/opt/checkout/config/production")
    }

    @Test(.enabled(if: Kubernetes.minor >= 25, "ephemeral containers came with Kubernetes 1.25"))
    func debugContainersSeeTheirTarget() async throws {
        try await withWeb("debugged") { cluster in
            let pod = try await cluster.pod("debugged")
            try await cluster.kubectl(
                "debug", pod, "--image=zeropod.test/busybox:1", "--target=web", "--container=debugger", "--", "cat",
                "/proc/1/comm")
            try await eventually("the debug container has seen its target's processes", within: .seconds(120)) {
                try await cluster.kubectl("logs", pod, "-c", "debugger", expecting: nil).trimmed == "nginx"
            }
            try await cluster.awaitSleep("debugged")
            try await cluster.expectRestarts("0", of: "debugged")
        }
    }

    /// It raises the number of replicas to its least one without any metrics, which nobody measures here.
    @Test func anAutoscalerBesideIsObeyed() async throws {
        try await withWeb("scaled") { cluster in
            try await cluster.apply(
                """
                apiVersion: autoscaling/v1
                kind: HorizontalPodAutoscaler
                metadata: {name: scaled}
                spec:
                  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: scaled}
                  minReplicas: 2
                  maxReplicas: 3
                  targetCPUUtilizationPercentage: 50
                """)
            try await eventually("there are two", within: .seconds(180)) {
                try await cluster.value(".status.readyReplicas", of: "deployment/scaled") == "2"
            }
            try await eventually("both sleep", within: .seconds(120)) {
                try await cluster.node.run("/opt/zeropod/bin/zeropod", "status").lines.count { line in
                    line.hasPrefix("default/scaled-") && line.contains(" asleep ")
                } == 2
            }
            try await cluster.expectAnswer("scaled")
            try await cluster.kubectl("delete", "hpa", "scaled")
        }
    }
}
