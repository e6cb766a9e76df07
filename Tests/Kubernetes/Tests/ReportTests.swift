import Commands
import Foundation
import TestCluster
import TestNode
import Testing

/// What the daemon of the node tells the cluster.
@Suite(.enabled(if: Kubernetes.programs != nil, "KUBE_BIN names no Kubernetes"), .cluster("reports"), .serialized)
struct ReportTests {
    @Test func labelsFollowSleepAndWake() async throws {
        try await withWeb("labelled") { cluster in
            try await cluster.awaitLabel("SCALED_DOWN", of: "labelled")
            // Followed, since it is awake for two seconds only.
            let label = #"{.metadata.labels.status\.zeropod\.ctrox\.dev/web}{"\n"}"#
            try await cluster.background(
                "labels",
                "/opt/tools/kubectl --kubeconfig /etc/kubernetes/admin.conf get pods -l app=labelled --watch"
                    + " -o 'jsonpath=\(label)' >/tmp/labels")
            func seen() async throws -> [String] {
                try await cluster.node.shell("uniq /tmp/labels").lines.map(String.init)
            }
            try await eventually("they are followed") { try await seen().last == "SCALED_DOWN" }
            try await cluster.expectAnswer("labelled")
            // Asked until that is seen: it does not sleep meanwhile.
            try await eventually("they tell of the wake", within: .seconds(120)) {
                _ = try await cluster.get("labelled")
                return try await seen().last == "RUNNING"
            }
            try await eventually("they tell of the next sleep", within: .seconds(120)) {
                try await seen().suffix(2) == ["RUNNING", "SCALED_DOWN"]
            }
            try await cluster.endBackground("labels")
        }
    }

    /// Exactly one for each change, as the shim counts them: on a slow machine a probe may wake it once more.
    @Test func eventsTellOfSleepAndWake() async throws {
        try await withWeb("told") { cluster in
            let pod = try await cluster.pod("told")
            try await cluster.expectAnswer("told")
            try await cluster.awaitSleep("told")
            try await cluster.awaitEvents(of: pod, sleeps: 2)
        }
    }

    /// `kubectl zeropod`, as a person has it in a directory of PATH.
    @Test func thePluginTellsAndActs() async throws {
        try await withWeb("asked") { cluster in
            let pod = try await cluster.pod("asked")
            try await cluster.awaitSleep("asked")
            try await cluster.node.shell("mkdir -p /tmp/plugins; cp /opt/checkout/config/kubectl-zeropod /tmp/plugins/")
            func zeropod(_ words: String, expecting: Int32? = 0) async throws -> Output {
                let environment = "PATH=/tmp/plugins:/opt/tools:$PATH KUBECONFIG=/etc/kubernetes/admin.conf"
                return try await cluster.node.shell("\(environment) kubectl zeropod \(words)", expecting: expecting)
            }
            try await cluster.awaitLabel("SCALED_DOWN", of: "asked")
            let line = try await zeropod("status --all-namespaces").lines.first { $0.contains(pod) }
            #expect(line?.split(separator: " ").suffix(2) == ["web", "SCALED_DOWN"])
            let why = try await zeropod("why \(pod)").text
            #expect(why.contains("default/\(pod)/web") && why.contains("nobody needs it"), "\(why)")
            #expect(try await zeropod("wake \(pod)").text.hasPrefix("default/\(pod)/web is awake"))
            // It has two seconds until it would sleep by itself.
            #expect(try await zeropod("sleep \(pod) web").text.hasPrefix("default/\(pod)/web "))
            let mistake = try await zeropod("why nobody", expecting: nil)
            #expect(mistake.status == 1 && mistake.errorText.contains("nobody"))
            #expect(try await zeropod("doze \(pod)", expecting: nil).status == 2)
        }
    }

    /// The page of all nodes, of any daemon, as a browser's form asks for it.
    @Test func theDaemonShowsTheWholeCluster() async throws {
        try await withWeb("shown") { cluster in
            let pod = try await cluster.pod("shown")
            try await cluster.awaitLabel("SCALED_DOWN", of: "shown")
            let daemon = try await cluster.value(".items[0].status.podIP", of: "pods", in: Cluster.system)
            func page(_ query: String) async throws -> String {
                try await cluster.node.get(daemon, port: 8080, path: "/cluster?\(query)").text
            }
            let node = try await cluster.value(".items[0].metadata.name", of: "nodes")
            let row = "<td><b>\(pod)</b><span class=soft>default / web on \(node)</span></td>"
            // A list that somebody has asked for is kept for a while.
            try await eventually("it is shown asleep") { try await page("state=asleep&text=\(pod)").contains(row) }
            let found = try await page("state=asleep&text=\(pod)")
            #expect(found.contains("<td class=why>nobody needs it"), "\(found)")
            #expect(try await !page("state=awake&text=\(pod)").contains(row))
            #expect(try await page("text=no-such-pod").contains("is as wanted"))
            // With what a person finds in the pod itself.
            let annotation = try await cluster.value(
                ".metadata.annotations.status\\.zeropod\\.ctrox\\.dev/web", of: "pod/\(pod)")
            #expect(annotation.contains(#""why":"nobody needs it"#) && annotation.contains(#""node":"\#(node)""#))
            if Browser.program != nil {
                for (name, width) in [("kubernetes", 1200), ("kubernetes-on-a-telephone", 400)] {
                    let picture = try await Browser(on: cluster.node).picture(
                        of: "http://\(daemon):8080/cluster", as: name, width: width)
                    #expect(picture.count > 10_000)
                }
            }
        }
    }

    /// What docs/kubernetes.md has a newcomer type, with an image that is there.
    @Test func aNewcomersFirstSleep() async throws {
        let cluster = try cluster()
        let example = try String(
            contentsOf: Kubernetes.configuration.appending(path: "examples/nginx.yaml"), encoding: .utf8)
        try await cluster.apply(
            example.replacing(
                "image: nginx:stable", with: "image: zeropod.test/nginx:1\n          imagePullPolicy: Never"))
        try await cluster.awaitRollout("deployment/nginx")
        try await eventually("the column says that it sleeps", within: .seconds(120)) {
            try await cluster.kubectl("get", "pods", "-l", "app=nginx", "-L", "status.zeropod.ctrox.dev/nginx")
                .lines.last?.hasSuffix("SCALED_DOWN") == true
        }
        try await cluster.awaitEndpoints(of: "nginx")
        let page = try await cluster.kubectl("get", "--raw", "/api/v1/namespaces/default/services/nginx/proxy/").text
        #expect(page.contains("nginx"), "\(page)")
        let pod = try await cluster.pod("nginx")
        try await eventually("an event tells who woke it") {
            let events = try await cluster.kubectl("get", "events", "--field-selector", "reason=Running").lines
            return events.contains { $0.contains("pod/\(pod)") && $0.contains("woken by a connection from") }
        }
        try await cluster.expectRestarts("0", of: "nginx")
        try await cluster.kubectl("delete", "deployment,service", "nginx")
    }

    /// In a pod `zeropod check` tells of the node, by what its shims say.
    @Test func checkInTheDaemonsPodTellsOfTheNode() async throws {
        try await withWeb("checked") { cluster in
            let daemon =
                try await cluster.kubectl(
                    "get", "pods", "-n", Cluster.system, "-l", "app.kubernetes.io/name=zeropod-node", "-o", "name"
                ).lines.first.map(String.init) ?? ""
            let said = try await cluster.kubectl(
                "exec", "-n", Cluster.system, daemon, "-c", "node", "--", "/opt/zeropod/bin/zeropod", "check"
            ).text
            #expect(said.contains("limited  place ") && said.hasSuffix("containers sleep on this node\n"), "\(said)")
            #expect(!said.contains("MISSING"))
        }
    }

    /// The other way of sleeping has a label and events of its own, and requests stay: it keeps its memory.
    @Test func aFrozenPodIsTold() async throws {
        let cluster = try cluster()
        try await cluster.apply(
            Cluster.web(named: "chilled").replacing(
                "scaledown-duration: 2s}", with: "scaledown-duration: 2s, zeropod.ctrox.dev/sleep: freeze}"))
        try await cluster.awaitRollout("deployment/chilled")
        try await cluster.awaitLabel("FROZEN", of: "chilled")
        try await cluster.awaitEndpoints(of: "chilled")
        try await cluster.expectAnswer("chilled")
        let pod = try await cluster.pod("chilled")
        try await eventually("each freeze and each thaw is told of once", within: .seconds(120)) {
            let reasons = try await cluster.reasonsTold(of: pod)
            let freezes = reasons.count { $0 == "Frozen" }
            let thaws = reasons.count { $0 == "Thawed" }
            let counted = try await cluster.metric("zeropod_freezes_total", of: pod)
            return freezes >= 2 && thaws == freezes - 1 && reasons.count == freezes + thaws && "\(freezes)" == counted
        }
        let messages = try await cluster.kubectl("get", "events", "--field-selector", "involvedObject.name=\(pod)").text
        #expect(
            messages.contains("Froze container web, which is not checkpointed: zeropod.ctrox.dev/sleep is freeze"))
        let requested = try await cluster.value(".spec.containers[0].resources.requests.memory", of: "pod/\(pod)")
        #expect(requested == "32Mi")
        try await cluster.expectRestarts("0", of: "chilled")
        try await cluster.kubectl("delete", "deployment,service", "chilled")
    }

    @Test(.enabled(if: Kubernetes.resizes, "requests of a running pod can be changed from Kubernetes 1.33 on"))
    func requestsDropAndComeBack() async throws {
        try await withWeb("resized") { cluster in
            try await cluster.awaitRequests("1m 1Ki", of: "resized")
            try await cluster.expectAnswer("resized")
            let address = try await cluster.value(".spec.clusterIP", of: "service/resized")
            try await cluster.awaitRequests("50m 32Mi", of: "resized", keptAwakeBy: address)
            try await cluster.awaitRequests("1m 1Ki", of: "resized")
            try await cluster.expectRestarts("0", of: "resized")
        }
    }

    /// Somebody's own change of a sleeping pod's requests is theirs, asleep and awake.
    @Test(.enabled(if: Kubernetes.resizes, "requests of a running pod can be changed from Kubernetes 1.33 on"))
    func aUsersOwnRequestsStay() async throws {
        try await withWeb("chosen") { cluster in
            try await cluster.awaitRequests("1m 1Ki", of: "chosen")
            let patch = #"{"spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "70m"}}}]}}"#
            let pod = try await cluster.pod("chosen")
            try await cluster.kubectl("patch", "pod", pod, "--subresource=resize", "-p", patch)
            try await cluster.expectAnswer("chosen")
            let address = try await cluster.value(".spec.clusterIP", of: "service/chosen")
            try await cluster.awaitRequests("70m 32Mi", of: "chosen", keptAwakeBy: address)
            try await cluster.awaitSleep("chosen")
            try await cluster.expectRestarts("0", of: "chosen")
        }
    }

    @Test(.enabled(if: Kubernetes.resizes, "requests of a running pod can be changed from Kubernetes 1.33 on"))
    func limitsAndQualityOfServiceStay() async throws {
        let cluster = try cluster()
        let text = Cluster.web(named: "limited").replacing(
            "resources: {requests: {cpu: 50m, memory: 32Mi}}",
            with: "resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: 100m, memory: 64Mi}}")
        try await cluster.apply(text)
        try await cluster.awaitRollout("deployment/limited")
        try await cluster.awaitRequests("1m 1Ki", of: "limited")
        let pod = "pod/\(try await cluster.pod("limited"))"
        let quality = try await cluster.value(".status.qosClass", of: pod)
        #expect(quality == "Burstable")
        let limit = try await cluster.value(".spec.containers[0].resources.limits.memory", of: pod)
        #expect(limit == "64Mi")
        try await cluster.awaitEndpoints(of: "limited")
        try await cluster.expectAnswer("limited")
        let address = try await cluster.value(".spec.clusterIP", of: "service/limited")
        try await cluster.awaitRequests("50m 32Mi", of: "limited", keptAwakeBy: address)

        // As much requested as allowed is Guaranteed, which it would not be with less.
        try await cluster.apply(
            Cluster.web(named: "guaranteed").replacing(
                "resources: {requests: {cpu: 50m, memory: 32Mi}}", with: "resources: {limits: {cpu: 50m, memory: 64Mi}}"
            ))
        try await cluster.awaitRollout("deployment/guaranteed")
        try await cluster.awaitSleep("guaranteed")
        try await cluster.awaitRequests("50m 64Mi", of: "guaranteed")
        for name in ["limited", "guaranteed"] { try await cluster.kubectl("delete", "deployment,service", name) }
    }

    @Test func metricsMove() async throws {
        try await withWeb("counted") { cluster in
            let pod = try await cluster.pod("counted")
            func restores() async throws -> String? {
                try await cluster.metric("zeropod_restore_duration_seconds_count", of: pod)
            }
            // On a slow machine a probe may have woken it.
            let before = Int(try await restores() ?? "0") ?? -1
            #expect(before >= 0)
            try await cluster.expectAnswer("counted")
            try await eventually("the wake is counted") { Int(try await restores() ?? "") ?? 0 > before }
        }
    }

    /// A Deployment of nginx that has fallen asleep, for as long as `body` runs.
    private func withWeb(_ name: String, _ body: (Cluster) async throws -> Void) async throws {
        try await cluster().withSleepyWeb(name, body)
    }
}
