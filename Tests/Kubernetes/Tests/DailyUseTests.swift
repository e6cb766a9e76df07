import Commands
import Foundation
import TestCluster
import TestNode
import Testing

/// What people and the cluster do with pods that sleep.
@Suite(.enabled(if: Kubernetes.programs != nil, "KUBE_BIN names no Kubernetes"), .cluster("daily"), .serialized)
struct DailyUseTests {
    @Test func execSeesTheProcessesThatSlept() async throws {
        try await withWeb("exec") { cluster in
            let out = try await cluster.kubectl("exec", "deployment/exec", "--", "cat", "/proc/1/comm")
            #expect(out.trimmed == "nginx")
            try await cluster.expectRestarts("0", of: "exec")
            try await cluster.awaitSleep("exec")
        }
    }

    @Test func logsAreWholeAndFollowingThemDoesNotWake() async throws {
        try await withWeb("logs") { cluster in
            try await cluster.expectAnswer("logs", "/before", code: 404)
            try await cluster.awaitSleep("logs")
            try await cluster.leavingAsleep("logs") {
                try await cluster.background(
                    "follower",
                    "/opt/tools/kubectl --kubeconfig /etc/kubernetes/admin.conf logs -f deployment/logs >/tmp/followed")
                try await eventually("what was logged before the sleep is shown") {
                    try await cluster.node.shell("cat /tmp/followed").text.contains("GET /before ")
                }
            }
            try await cluster.expectAnswer("logs", "/after", code: 404)
            try await eventually("what is logged after it follows") {
                try await cluster.node.shell("cat /tmp/followed").text.contains("GET /after ")
            }
            try await cluster.endBackground("follower")
            let log = try await cluster.kubectl("logs", "deployment/logs").text
            for path in ["/before", "/after"] {
                #expect(log.split(separator: "\n").count { $0.contains("GET \(path) HTTP/1.1\" 404") } == 1)
            }
        }
    }

    @Test func portForwardingWakes() async throws {
        try await withWeb("forward") { cluster in
            try await cluster.background(
                "forward",
                "/opt/tools/kubectl --kubeconfig /etc/kubernetes/admin.conf port-forward deployment/forward 8888:80")
            let reply = try await eventually("the forwarded port answers") {
                try await cluster.node.get("127.0.0.1", port: 8888)
            }
            #expect(reply.text == "hello from nginx\n")
            try await cluster.endBackground("forward")
        }
    }

    @Test func deletionAsleepIsQuick() async throws {
        try await withWeb("deleted") { cluster in
            let pod = try await cluster.pod("deleted")
            let id = try await cluster.container(of: pod)
            // The kubelet of 1.20 can take a minute to say that an ended pod is gone.
            try await cluster.kubectl("delete", "pod", pod, "--timeout=180s", deadline: .seconds(190))
            // Had nobody been told, it would have been killed after the grace period, and containerd says so.
            let log = try await cluster.node.shell("cat /var/log/containerd.log").text.replacing("\\", with: "")
            #expect(log.contains("Stop container \"\(id)\" with signal"))
            #expect(!log.contains("Kill container \"\(id)\""))
            try await cluster.awaitRollout("deployment/deleted")
            try await cluster.awaitService("deleted")
        }
    }

    /// The kubelet sees an end, and starts anew.
    @Test func aKilledShimIsReplaced() async throws {
        try await withWeb("lost") { cluster in
            let pod = try await cluster.pod("lost")
            let id = try await cluster.container(of: pod)
            // containerd's own name for the shim is that of the sandbox.
            let bundle = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/\(id)"
            try await cluster.node.shell(
                """
                set -e
                sandbox=$(grep -o '"io.kubernetes.cri.sandbox-id":"[0-9a-f]*"' \(bundle)/config.json | cut -d'"' -f4)
                kill -KILL "$(pgrep -f -- "^/[^ ]*containerd-shim-.* -id $sandbox ")"
                """)
            try await eventually("another container runs in its place", within: .seconds(180)) {
                let now = try await cluster.container(of: pod)
                return !now.isEmpty && now != id
            }
            try await cluster.awaitRollout("deployment/lost")
            try await cluster.awaitService("lost")
            try await cluster.awaitSleep("lost")
        }
    }

    @Test func rolloutReplacesSleepers() async throws {
        try await withWeb("rollout") { cluster in
            let before = try await cluster.pod("rollout")
            try await cluster.kubectl("rollout", "restart", "deployment/rollout")
            try await cluster.awaitRollout("deployment/rollout")
            try await eventually("the sleeper is gone") { try await cluster.pod("rollout") != before }
            try await cluster.awaitService("rollout")
        }
    }

    /// What `kubectl top` shows comes from here.
    @Test func kubeletMeasuresWithoutWaking() async throws {
        try await withWeb("measured") { cluster in
            let name = try await cluster.value(".items[0].metadata.name", of: "nodes")
            let summary = "/api/v1/nodes/\(name)/proxy/stats/summary"
            try await cluster.leavingAsleep("measured") {
                for _ in 1...3 {
                    let text = try await cluster.kubectl("get", "--raw", summary).text
                    #expect(text.contains("\"measured-"))
                }
                // What metrics-server reads, and what an autoscaler is told.
                let resources = try await cluster.kubectl(
                    "get", "--raw", "/api/v1/nodes/\(name)/proxy/metrics/resource"
                ).text
                for metric in ["container_cpu_usage_seconds_total", "container_memory_working_set_bytes"] {
                    let sample = "\(metric){container=\"web\",namespace=\"default\",pod=\"measured-"
                    #expect(resources.contains(sample), "\(metric)")
                }
            }
        }
    }

    @Test func quotaCountsWhatSleeps() async throws {
        let cluster = try cluster()
        try await cluster.kubectl("create", "namespace", "poor")
        try await cluster.kubectl("create", "quota", "all", "-n", "poor", "--hard=pods=1,requests.memory=32Mi")
        try await cluster.apply(Cluster.web(named: "quota", namespace: "poor"))
        try await cluster.awaitRollout("deployment/quota", in: "poor")
        try await cluster.awaitSleep("quota", in: "poor")
        let address = try await cluster.value(".spec.clusterIP", of: "service/quota", in: "poor")
        try await cluster.awaitEndpoints(of: "quota", in: "poor")
        try await cluster.expectAnswer(at: address)
        try await cluster.awaitSleep("quota", in: "poor")
        let used = try await cluster.value(".status.used.pods", of: "quota/all", in: "poor")
        #expect(used == "1")
        try await cluster.kubectl("delete", "namespace", "poor", "--timeout=180s", deadline: .seconds(190))
    }

    /// The kubelet makes these without the API server, and reads the RuntimeClass all the same.
    @Test func staticPodsSleepAndWake() async throws {
        let cluster = try cluster()
        let manifest = """
            apiVersion: v1
            kind: Pod
            metadata: {name: static, annotations: {zeropod.ctrox.dev/scaledown-duration: 1s}}
            spec:
              runtimeClassName: zeropod
              terminationGracePeriodSeconds: 1
              containers: [{name: web, image: "zeropod.test/nginx:1", imagePullPolicy: Never}]
            """
        try await cluster.node.run(
            "sh", "-c", "cat >/etc/kubernetes/manifests/static.yaml", input: Data(manifest.utf8))
        try await cluster.awaitSleep("static-")
        let pod = try await eventually("its mirror appears") {
            try await cluster.kubectl("get", "pods", "-o", "name").lines.first { $0.contains("/static-") }.map(
                String.init)
        }
        let address = try await cluster.value(".status.podIP", of: pod)
        try await cluster.expectAnswer(at: address, from: .outside)
        try await cluster.node.run("rm", "/etc/kubernetes/manifests/static.yaml")
        try await eventually("it is gone", within: .seconds(180)) {
            try await !cluster.kubectl("get", "pods", "-o", "name").text.contains("/static-")
        }
    }

    @Test func drainingTakesSleepersAway() async throws {
        try await withWeb("drained") { cluster in
            let name = try await cluster.value(".items[0].metadata.name", of: "nodes")
            try await cluster.apply(
                """
                apiVersion: policy/\(Kubernetes.minor >= 21 ? "v1" : "v1beta1")
                kind: PodDisruptionBudget
                metadata: {name: drained}
                spec: {maxUnavailable: 1, selector: {matchLabels: {app: drained}}}
                """)
            do {
                // Older kubelets take up to a minute until they say that a pod that has ended is gone.
                try await cluster.kubectl(
                    "drain", name, "--ignore-daemonsets", "--pod-selector=app=drained", "--timeout=240s",
                    deadline: .seconds(250))
            } catch {
                try await cluster.kubectl("uncordon", name)
                throw error
            }
            try await eventually("its successor has no node") {
                let phases = try await cluster.kubectl(
                    "get", "pods", "-l", "app=drained", "-o", "jsonpath={.items[*].status.phase}")
                return phases.trimmed == "Pending"
            }
            try await cluster.kubectl("uncordon", name)
            try await cluster.kubectl("delete", "pdb", "drained")
            try await cluster.awaitRollout("deployment/drained")
            try await cluster.awaitSleep("drained")
        }
    }

    /// The daemon and the shims live on by themselves; so does the way of a connection.
    @Test func connectionsWakeWithoutTheAPIServer() async throws {
        try await withWeb("alone") { cluster in
            let address = try await cluster.value(".spec.clusterIP", of: "service/alone")
            try await cluster.node.shell("kill -STOP $(cat /run/kubernetes/apiserver.pid)")
            do {
                try await cluster.expectAnswer(at: address)
                try await cluster.awaitSleep("alone")
            } catch {
                try await cluster.node.shell("kill -CONT $(cat /run/kubernetes/apiserver.pid)")
                throw error
            }
            try await cluster.node.shell("kill -CONT $(cat /run/kubernetes/apiserver.pid)")
            try await cluster.expectRestarts("0", of: "alone")
            let pod = try await cluster.pod("alone")
            // What has happened meanwhile, once.
            try await cluster.awaitEvents(of: pod, sleeps: 2)
        }
    }

    @Test func anUpgradeLeavesSleepersAlone() async throws {
        try await withWeb("upgraded") { cluster in
            try await cluster.leavingAsleep("upgraded") {
                try await cluster.kubectl("rollout", "restart", "-n", Cluster.system, "daemonset/zeropod-node")
                try await cluster.awaitRollout("daemonset/zeropod-node", in: Cluster.system)
            }
            try await cluster.expectAnswer("upgraded")
        }
    }

    @Test func aBadAnnotationIsNamedInAnEvent() async throws {
        let cluster = try cluster()
        try await cluster.apply(Cluster.web(named: "mistaken", sleepsAfter: "soon"))
        try await eventually("an event names the annotation") {
            try await cluster.kubectl("get", "events").text.contains(
                "annotation zeropod.ctrox.dev/scaledown-duration is \"soon\"")
        }
        try await cluster.kubectl("delete", "deployment,service", "mistaken")
    }

    /// The API server's own schemas are the judge.
    @Test(arguments: ["base", "production", "kind", "k3s", "rke2", "gke", "uninstall"])
    func overlayIsValid(_ overlay: String) async throws {
        try await cluster().kubectl("apply", "-k", "/opt/checkout/config/\(overlay)", "--dry-run=server")
    }

    @Test func examplesAreValid() async throws {
        let output = try await cluster().kubectl(
            "apply", "-f", "/opt/checkout/config/examples", "--dry-run=server", "--validate=true")
        #expect(output.lines.count > 10)
    }

    /// A Deployment of nginx that has fallen asleep, for as long as `body` runs.
    func withWeb(_ name: String, _ body: (Cluster) async throws -> Void) async throws {
        try await cluster().withSleepyWeb(name, body)
    }
}
