import Commands
import TestCluster
import TestNode
import Testing

extension Cluster {
    /// A Deployment as users write it, with a probe that is more frequent than the sleep, and its Service.
    static func web(
        named name: String = "web", namespace: String = "default", sleepsAfter duration: String = "2s"
    ) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: \(name), namespace: \(namespace)}
        spec:
          selector: {matchLabels: {app: \(name)}}
          template:
            metadata:
              labels: {app: \(name)}
              annotations: {zeropod.ctrox.dev/scaledown-duration: \(duration)}
            spec:
              runtimeClassName: zeropod
              terminationGracePeriodSeconds: 30
              containers:
                - name: web
                  image: zeropod.test/nginx:1
                  imagePullPolicy: Never
                  ports: [{containerPort: 80}]
                  # On a slow machine an answer takes its time, and is one all the same.
                  livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 9}
                  resources: {requests: {cpu: 50m, memory: 32Mi}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), namespace: \(namespace)}
        spec: {selector: {app: \(name)}, ports: [{port: 80}]}
        """
    }

    /// A Deployment of nginx that has fallen asleep, for as long as `body` runs.
    func withSleepyWeb(_ name: String, _ body: (Cluster) async throws -> Void) async throws {
        try await apply(Self.web(named: name))
        try await awaitRollout("deployment/\(name)")
        try await awaitEndpoints(of: name)
        try await awaitSleep(name)
        // What fails leaves its pods, which are asked for the reason.
        try await body(self)
        try await kubectl("delete", "deployment,service", name)
        // The kubelet of 1.20 can take a minute to say that an ended pod is gone.
        try await kubectl(
            "wait", "pods", "-l", "app=\(name)", "--for=delete", "--timeout=180s", deadline: .seconds(190))
    }

    /// Waits until kube-proxy leads a Service's connections somewhere, without making any.
    func awaitEndpoints(of service: String, in namespace: String = "default") async throws {
        let address = try await value(".spec.clusterIP", of: "service/\(service)", in: namespace)
        try await eventually("the service \(service) leads to a pod") {
            try await node.shell("iptables-save -t nat").lines.contains {
                $0.hasPrefix("-A KUBE-SERVICES -d \(address)/32 ") && $0.contains(" -j KUBE-SVC-")
            }
        }
    }

    /// Waits until a Service answers by a pod that has just become ready: kube-proxy follows a moment later, and refuses
    /// connections until then. Before it knows the Service at all, nobody answers, and the kernel's connection tracking keeps
    /// such a connection untranslated for as long as it lasts.
    func awaitService(_ name: String) async throws {
        try await awaitEndpoints(of: name)
        try await eventually("the service \(name) answers") { try await get(name).code == 200 }
    }

    /// The newest pod of a Deployment.
    func pod(_ name: String) async throws -> String {
        let pods = try await kubectl(
            "get", "pods", "-l", "app=\(name)", "--sort-by=.metadata.creationTimestamp", "-o", "name")
        return pods.lines.last.map { String($0.dropFirst("pod/".count)) } ?? ""
    }

    /// The id of a pod's container, as containerd has it; empty while there is none.
    func container(of pod: String) async throws -> String {
        try await value(".status.containerStatuses[0].containerID", of: "pod/\(pod)")
            .replacing("containerd://", with: "")
    }

    func restarts(of name: String) async throws -> String {
        try await value(".status.containerStatuses[0].restartCount", of: "pod/\(try await pod(name))")
    }

    /// One request over the ClusterIP of a Service.
    func get(_ service: String, _ path: String = "/") async throws -> HTTPReply {
        try await node.get(try await value(".spec.clusterIP", of: "service/\(service)"), port: 80, path: path)
    }

    func expectAnswer(
        _ service: String, _ path: String = "/", code: Int = 200, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await get(service, path)
        #expect(answer.code == code, "\(answer.text)", sourceLocation: sourceLocation)
    }

    func expectAnswer(
        at address: String, from origin: Origin = .node, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await node.get(address, port: 80, from: origin)
        #expect(answer.code == 200, "\(answer.text)", sourceLocation: sourceLocation)
    }

    func expectRestarts(
        _ expected: String, of name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let restarts = try await restarts(of: name)
        #expect(restarts == expected, sourceLocation: sourceLocation)
    }

    /// The reasons of the events that the daemon has made of a pod.
    func reasonsTold(of pod: String) async throws -> [String] {
        let output = try await kubectl(
            "get", "events", "--field-selector",
            "involvedObject.name=\(pod),reportingComponent=zeropod.ctrox.dev/manager",
            "-o", "jsonpath={range .items[*]}{.reason}{\"\\n\"}{end}")
        return output.lines.map(String.init)
    }

    /// Starts something in the node that runs until `endBackground`.
    func background(_ name: String, _ command: String) async throws {
        try await node.shell("(exec \(command)) >/tmp/\(name).log 2>&1 & echo $! >/tmp/\(name).pid")
    }

    func endBackground(_ name: String) async throws { try await node.shell("kill $(cat /tmp/\(name).pid) || true") }
}
