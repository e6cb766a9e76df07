import Commands
import TestCluster

extension Cluster {
    static let system = "zeropod-system"

    /// A Deployment as users write it, with a probe that is more frequent than the sleep, and its Service.
    static let web = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata:
              labels: {app: web}
              annotations: {zeropod.ctrox.dev/scaledown-duration: 3s}
            spec:
              runtimeClassName: zeropod
              terminationGracePeriodSeconds: 1
              containers:
                - name: web
                  image: zeropod.test/nginx:1
                  imagePullPolicy: Never
                  ports: [{containerPort: 80}]
                  livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
                  resources: {requests: {cpu: 50m, memory: 32Mi}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {selector: {app: web}, ports: [{port: 80}]}
        """

    /// Labels the node, and waits until the runtime is on it.
    func label() async throws {
        try await kubectl("label", "node", "--all", "zeropod.ctrox.dev/node=true")
        try await kubectl(
            "rollout", "status", "-n", Self.system, "daemonset/zeropod-node", "--timeout=120s", deadline: .seconds(130))
    }

    /// Whether the only container of a Deployment's only pod sleeps, as the program on the node says.
    func isAsleep(_ name: String = "web") async throws -> Bool {
        let status = try await node.run("/opt/zeropod/bin/zeropod", "status").lines
        return status.contains { $0.contains("/\(name)-") && $0.contains(" asleep ") }
    }

    func awaitSleep(_ name: String = "web") async throws {
        try await eventually("\(name) falls asleep", within: .seconds(30)) { try await isAsleep(name) }
    }

    /// Every file of the node that is not Kubernetes' own, with what is in it.
    func fingerprint() async throws -> [Substring] {
        try await node.shell(
            """
            cd /
            find etc opt usr var/lib -xdev \\( -path etc/kubernetes -o -path var/lib/kubelet -o -path var/lib/cni \\
                -o -path opt/cni -o -path usr/libexec/kubernetes \\) -prune -o -printf '%y %m %u %g %p %l\\n' | sort
            find run/zeropod sys/fs/bpf 2>/dev/null
            find etc -xdev -path etc/kubernetes -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
            """
        ).lines
    }
}
