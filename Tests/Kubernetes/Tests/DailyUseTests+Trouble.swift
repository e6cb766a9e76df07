import Commands
import TestCluster
import TestNode
import Testing

/// What goes wrong in clusters, and what is said of it.
extension DailyUseTests {
    /// The page of the daemon, as it is when it contains a text.
    private func awaitPage(_ what: String, contains text: String, on cluster: Cluster) async throws {
        try await eventually(what, within: .seconds(60)) {
            let daemon = try await cluster.value(".items[0].status.podIP", of: "pods", in: Cluster.system)
            return try await cluster.node.get(daemon, port: 8080, path: "/").text.contains(text)
        }
    }

    /// For longer than the daemon waits between two attempts, and what its watch was at is compacted away meanwhile.
    @Test func anAPIServerAwayForLong() async throws {
        try await withWeb("long") { cluster in
            let pod = try await cluster.pod("long")
            let address = try await cluster.value(".spec.clusterIP", of: "service/long")
            let program = "bash /opt/cluster/program apiserver"
            // At once: told to end, it waits for those who watch, for a minute.
            try await cluster.node.shell("\(program) end KILL")
            let start = ContinuousClock.now
            do {
                for _ in 1...3 {
                    #expect(try await cluster.node.get(address, port: 80).code == 200)
                    try await cluster.awaitSleep("long")
                }
                try await cluster.compactAway()
                // This is the outage itself.
                try await Task.sleep(until: start + .seconds(65))
            } catch {
                try await cluster.node.shell("\(program) start")
                throw error
            }
            try await cluster.node.shell("\(program) start")
            try await eventually("the API server is back", within: .seconds(60)) {
                try await cluster.kubectl("get", "--raw", "/readyz", expecting: nil).status == 0
            }
            try await eventually("the daemon lists the pods again", within: .seconds(60)) {
                try await cluster.kubectl("logs", "-n", Cluster.system, "daemonset/zeropod-node").text
                    .contains("the watch of pods does not fit to what the API server has")
            }
            try await cluster.awaitEvents(of: pod, sleeps: 4)
            try await cluster.awaitLabel("SCALED_DOWN", of: "long")
            if Kubernetes.resizes { try await cluster.awaitRequests("1m 1Ki", of: "long") }
            #expect(try await cluster.node.get(address, port: 80).code == 200)
            if Kubernetes.resizes { try await cluster.awaitRequests("50m 32Mi", of: "long") }
            #expect(try await cluster.restarts(of: "long") == "0")
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
            #expect(try await cluster.get("refused").code == 200)
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
            try await eventually("the debug container has seen its target's processes", within: .seconds(40)) {
                try await cluster.kubectl("logs", pod, "-c", "debugger", expecting: nil).trimmed == "nginx"
            }
            try await cluster.awaitSleep("debugged")
            #expect(try await cluster.restarts(of: "debugged") == "0")
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
            try await eventually("there are two", within: .seconds(60)) {
                try await cluster.value(".status.readyReplicas", of: "deployment/scaled") == "2"
            }
            try await eventually("both sleep", within: .seconds(40)) {
                try await cluster.node.run("/opt/zeropod/bin/zeropod", "status").lines.count { line in
                    line.hasPrefix("default/scaled-") && line.contains(" asleep ")
                } == 2
            }
            #expect(try await cluster.get("scaled").code == 200)
            try await cluster.kubectl("delete", "hpa", "scaled")
        }
    }
}

extension Cluster {
    /// Lets etcd forget every version of before, by its JSON gateway.
    fileprivate func compactAway() async throws {
        try await node.shell(
            """
            set -e
            ask() { curl -sS --fail "http://127.0.0.1:2379/v3/kv/$1" -d "$2"; }
            revision=$(ask put '{"key": "dGVzdA==", "value": "dGVzdA=="}' | grep -o '"revision":"[0-9]*"' | grep -o '[0-9]*')
            ask compaction '{"revision": "'$revision'", "physical": true}'
            """)
    }
}
