import CRI
import Commands
import Foundation
import TestNode
import Testing

/// Kubernetes' kinds of containers that sleep, each with what makes it one.
enum SleepingKind: String, CaseIterable, Sendable {
    case plain, afterInitContainers, besideSidecar, withHostPort, onHostIPC, privileged, readOnlyRoot, seccomp
    case fewCapabilities, ownUser, ownUsers, noNewPrivileges, sysctls, device, mountFromNode, mountBothWays

    /// On the node, given to those that want a mount.
    private static let shared = "/run/shared-with-kinds"
    /// Where a server that may not write its root has its files.
    private static let scratch = "/run/written-by-kinds"
    /// Root of a user namespace is this user outside.
    private static let firstUser = 200_000

    func adjust(_ pod: inout PodConfig) {
        switch self {
        case .withHostPort: pod.hostPorts = [8080: 18081]
        case .onHostIPC: pod.namespaces.ipc = .node
        case .ownUsers: pod.namespaces.userRange = Self.firstUser
        case .privileged, .mountBothWays: pod.privileged = true
        case .sysctls: pod.sysctls = ["net.core.somaxconn": "321", "kernel.shm_rmid_forced": "1"]
        default: break
        }
    }

    func adjust(_ container: inout ContainerConfig) {
        switch self {
        case .onHostIPC: container.security.namespaces.ipc = .node
        case .privileged: container.privileged = true
        case .readOnlyRoot:
            container.security.readOnlyRoot = true
            container.mounts = [.init(hostPath: Self.scratch, containerPath: "/tmp")]
        case .seccomp: container.security.seccomp = .runtimeDefault
        case .fewCapabilities:
            container.security.droppedCapabilities = ["ALL"]
            container.security.addedCapabilities = ["NET_BIND_SERVICE"]
        case .ownUser:
            container.security.user = 1234
            container.security.group = 2345
            container.security.supplementalGroups = [3456]
            container.mounts = [.init(hostPath: Self.scratch, containerPath: "/tmp")]
        case .ownUsers:
            container.security.namespaces.userRange = Self.firstUser
            container.mounts = [.init(hostPath: Self.scratch, containerPath: "/tmp")]
            container.resources.oomScoreAdjustment = 900
        case .noNewPrivileges: container.security.noNewPrivileges = true
        case .device: container.devices = [.init(hostPath: "/dev/loop-control", containerPath: "/dev/mine")]
        case .mountFromNode, .mountBothWays:
            container.privileged = self == .mountBothWays
            container.mounts = [.init(hostPath: Self.shared, containerPath: "/given")]
            container.mounts[0].propagation = self == .mountBothWays ? .bothWays : .fromNode
        default: break
        }
    }

    /// What comes before the container, and what runs beside it.
    func prepare(_ pod: Pod) async throws {
        switch self {
        case .afterInitContainers:
            for name in ["first", "second"] {
                let container = try await pod.start(name, image: "busybox", command: ["true"])
                #expect(try await container.awaitExit().exitCode == 0)
            }
        case .besideSidecar: _ = try await pod.start("sidecar", image: "busybox", command: ["sleep", "1000"])
        case .readOnlyRoot, .ownUser, .ownUsers:
            try await pod.node.shell("install -d -m 1777 \(Self.scratch); rm -f \(Self.scratch)/*")
        case .mountFromNode, .mountBothWays:
            try await pod.node.shell(
                """
                mkdir -p \(Self.shared)
                mountpoint -q \(Self.shared) || mount -t tmpfs none \(Self.shared)
                mount --make-shared \(Self.shared)
                """)
        default: break
        }
    }

    /// What is its own works after a wake as before.
    func check(_ server: Container) async throws {
        let (pod, node) = (server.pod, server.pod.node)
        switch self {
        case .withHostPort: #expect(try await node.get("10.99.0.1", port: 18081, from: .outside).code == 200)
        case .device: #expect(try await server.exec("sh", "-c", ": < /dev/mine").exitCode == 0)
        case .mountFromNode, .mountBothWays:
            try await node.shell("mkdir -p \(Self.shared)/late && mount -t tmpfs none \(Self.shared)/late")
            #expect(try await server.exec("grep", "-q", " /given/late ", "/proc/1/mountinfo").exitCode == 0)
            try await node.shell("umount \(Self.shared)/late")
        case .ownUsers:
            // What it writes is its own outside, and what the node's root has is nobody's inside.
            #expect(
                try await server.exec("sh", "-c", "echo >/tmp/mine; stat -c %u /tmp/mine /tmp").stdout == "0\n65534\n")
            let outside = try await node.run("stat", "-c", "%u", "\(Self.scratch)/mine")
            #expect(outside.trimmed == "\(Self.firstUser)")
        case .besideSidecar:
            // The kubelet starts a sidecar that has ended anew, beside one that sleeps.
            try await server.awaitSleep(2)
            _ = try await pod.start("sidecar-again", image: "busybox", command: ["sleep", "1000"])
        default: break
        }
    }
}

/// All that the kernel tells of a container's first process and of what is around it.
private let identity = """
    grep -E '^(Uid|Gid|Groups|Cap.*|NoNewPrivs|Seccomp|NSpid|CoreDumping):' /proc/1/status
    cat /proc/1/oom_score_adj /proc/1/limits /proc/1/cgroup /proc/sys/net/core/somaxconn /proc/sys/kernel/shm_rmid_forced
    cat /proc/1/uid_map /proc/1/gid_map /proc/1/setgroups
    cut -d' ' -f4-6 /proc/1/mountinfo | sort
    readlink /proc/1/ns/ipc /proc/1/ns/uts /proc/1/ns/net /proc/1/ns/mnt /proc/1/ns/cgroup /proc/1/ns/user /proc/1/cwd /proc/1/root
    tr '\\0' '\\n' < /proc/1/environ; hostname
    """

extension SleepingPods {
    @Suite struct KindsOfContainersTests {
        @Test(arguments: SleepingKind.allCases) func itSleepsAndIsTheSameAfterwards(_ kind: SleepingKind) async throws {
            let node = try await node(.current)
            try await node.withPod(
                "kind", runtime: .zeropod, annotations: sleepy(["container-names": "server"]), adjust: kind.adjust
            ) { pod in
                try await kind.prepare(pod)
                let server = try await pod.start("server", image: "python", adjust: kind.adjust)
                try await server.awaitLog("listening")
                let before = try await server.exec("sh", "-c", identity)
                #expect(before.exitCode == 0, "\(before.stderr)")
                try await server.awaitSleep()
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                let after = try await server.exec("sh", "-c", identity)
                #expect(after.stdout == before.stdout)
                try await kind.check(server)
            }
        }
    }
}

/// Those that are never checkpointed, with the reason that `zeropod status` gives.
enum AwakeKind: String, CaseIterable, Sendable {
    case terminal, hostNetwork, hostProcesses, sharedProcesses, notSelected, zeroDuration, disabled
    case portless, paused

    var reason: String {
        switch self {
        case .terminal: "it has a terminal"
        case .hostNetwork: "it shares the network of the node"
        case .hostProcesses, .sharedProcesses: "it shares its process namespace with other containers"
        case .notSelected: "it is not among zeropod.ctrox.dev/container-names"
        case .zeroDuration: "zeropod.ctrox.dev/scaledown-duration is 0"
        case .disabled: "zeropod.ctrox.dev/disable-checkpointing is set"
        case .portless: "no listening TCP port has been found yet"
        case .paused: "it is paused"
        }
    }

    var annotations: [String: String] {
        switch self {
        case .notSelected: sleepy(["container-names": "another"])
        case .zeroDuration: sleepy(after: "0")
        case .disabled: sleepy(["disable-checkpointing": "true"])
        case .paused: sleepy(after: "1h")
        default: sleepy()
        }
    }

    private func adjust(_ namespaces: inout NamespaceOptions) {
        switch self {
        case .hostNetwork: namespaces.network = .node
        case .hostProcesses: namespaces.pid = .node
        case .sharedProcesses: namespaces.pid = .pod
        default: break
        }
    }

    /// Of the reasons, those that stand in the way of a checkpoint alone.
    var isFrozen: Bool { [.hostProcesses, .sharedProcesses].contains(self) }

    func adjust(_ pod: inout PodConfig) { adjust(&pod.namespaces) }

    func adjust(_ container: inout ContainerConfig) {
        adjust(&container.security.namespaces)
        container.terminal = self == .terminal
    }
}

extension SleepingPods.KindsOfContainersTests {
    @Test(arguments: AwakeKind.allCases) func itStaysAwakeAndTellsWhy(_ kind: AwakeKind) async throws {
        let node = try await node(.current)
        try await node.withPod("awake", runtime: .zeropod, annotations: kind.annotations, adjust: kind.adjust) { pod in
            let server = try await pod.start(
                "server", image: kind == .portless ? "busybox" : "python",
                command: kind == .portless ? ["sleep", "1000"] : [], adjust: kind.adjust)
            if kind == .paused { try await node.run("ctr", "-n", "k8s.io", "tasks", "pause", server.id) }
            try await eventually("the reason is told") {
                try await server.sleepReport().reasons.contains(kind.reason)
            }
            if kind == .paused { try await node.run("ctr", "-n", "k8s.io", "tasks", "resume", server.id) }
            if kind == .portless { return }
            let address = kind == .hostNetwork ? "127.0.0.1" : pod.ip4
            try await eventually("it answers") { try await node.get(address, port: 8080).code == 200 }
            try await server.expectSleeps(0)
            if !kind.isFrozen { return #expect(try await server.sleepReport().state != "frozen") }
            for cycle in 1...2 {
                try await server.awaitFreeze(cycle)
                #expect(try await node.get(address, port: 8080).code == 200)
            }
        }
    }
}
