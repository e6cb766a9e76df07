import Commands
import Foundation
import TestCluster
import Testing

/// What `kubectl apply -k` would send: every overlay is whole, and asks for no more than it has to.
@Suite(.enabled(if: Kubernetes.programs != nil, "KUBE_BIN names no Kubernetes"))
struct ConfigurationTests {
    static let overlays = ["base", "production", "hardened", "kind", "k3s", "rke2", "gke", "uninstall"]

    private func build(_ overlay: String) async throws -> String {
        let directory = Kubernetes.configuration.appending(path: overlay).path()
        return try await Command.run(["\(Kubernetes.tools())/kustomize", "build", directory]).text
    }

    @Test(arguments: overlays) func overlayIsWhole(_ overlay: String) async throws {
        let text = try await build(overlay)
        // As kubectl, which has a kustomize of its own, sees it.
        let directory = Kubernetes.configuration.appending(path: overlay).path()
        #expect(try await Command.run(["\(Kubernetes.tools())/kubectl", "kustomize", directory]).text == text)
        let kinds = text.split(separator: "\n").filter { $0.hasPrefix("kind: ") }.map { $0.dropFirst(6) }
        for kind in ["Namespace", "ServiceAccount", "DaemonSet", "RuntimeClass"] {
            #expect(kinds.count { $0 == kind } == 1, "\(kind)")
        }
        for line in [
            "name: zeropod-system", "name: zeropod-node", "handler: zeropod", "zeropod.ctrox.dev/node: \"true\"",
            "allowPrivilegeEscalation: false",
        ] { #expect(text.contains(line), "\(line)") }
        for line in ["privileged: true", "hostNetwork", "hostPID", "SYS_ADMIN"] {
            #expect(!text.contains(line), "\(line)")
        }
    }

    /// Each part of the production overlay brings its flag and its rights; the base has neither.
    @Test(arguments: ["status-labels", "status-events", "in-place-scaling"])
    func componentsBringFlagAndRights(_ component: String) async throws {
        let (base, production) = (try await build("base"), try await build("production"))
        for text in ["- --\(component)\n", "name: zeropod:\(component)\n"] {
            #expect(production.contains(text) && !base.contains(text))
        }
    }

    /// What watches a cluster, for kustomizations of one's own.
    @Test func monitoringIsAComponent() async throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "monitored-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        try FileManager.default.copyItem(at: Kubernetes.configuration, to: place.appending(path: "config"))
        let text = """
            resources: [config/production]
            components: [config/monitoring, config/pod-monitor]

            """
        try text.write(to: place.appending(path: "kustomization.yaml"), atomically: true, encoding: .utf8)
        let built = try await Command.run(["\(Kubernetes.tools())/kustomize", "build", place.path()]).text
        for line in [
            "kind: PodMonitor", "kind: Service\n", "prometheus.io/scrape: \"true\"", "--host=zeropod-node,",
            "honorLabels: true",
        ] { #expect(built.contains(line), "\(line)") }
    }

    /// Prometheus finds no other way who is who, and the daemon must outlive a busy node.
    @Test func theDaemonHasItsClassAndItsVersion() async throws {
        let text = try await build("production")
        for line in [
            "kind: PriorityClass", "priorityClassName: zeropod-node", "app.kubernetes.io/version: \"0.1\"",
            "timeoutSeconds: 15",
        ] { #expect(text.contains(line), "\(line)") }
    }

    /// The installer, which may change the host, has no token; the daemon, which has one, sees of the host only sockets.
    @Test func eachContainerHasWhatItNeeds() async throws {
        let text = try await build("base")
        #expect(text.contains("automountServiceAccountToken: false\n"))
        #expect(text.split(separator: "type: spc_t").count == 2)
        #expect(text.split(separator: "mountPath: /var/run/secrets").count == 2)
        let parts = text.split(separator: "      initContainers:\n")
        let (daemon, installer) = (try #require(parts.first), try #require(parts.last))
        #expect(parts.count == 2 && installer.contains("type: spc_t") && !installer.contains("secrets"))
        #expect(daemon.contains("- mountPath: /run/zeropod/s\n          name: run\n          readOnly: true\n"))
        #expect(try await build("hardened").contains("kind: ValidatingAdmissionPolicyBinding\n"))
    }

    @Test func overlaysSayWhereContainerdIs() async throws {
        #expect(try await build("k3s").contains("- --containerd\n        - k3s\n"))
        #expect(try await build("rke2").contains("- --containerd\n        - rke2\n"))
        #expect(try await build("gke").contains("- --prefix\n        - /var/lib/toolbox/zeropod\n"))
        #expect(try await build("uninstall").contains("- /opt/zeropod/bin/zeropod\n        - uninstall\n"))
    }

    @Test func imageIsTheOneThatMakeMakes() async throws {
        let makefile = try String(contentsOf: Kubernetes.configuration.appending(path: "../Makefile"), encoding: .utf8)
        let version = try #require(makefile.firstMatch(of: /\nVERSION \?= (\S+)\n/)?.1)
        let image = try #require(makefile.firstMatch(of: /\nIMAGE \?= (\S+):\$\(VERSION\)\n/)?.1)
        #expect(try await build("production").contains("image: \(image):\(version)\n"))
    }
}
