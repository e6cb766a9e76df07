import CRI
import Commands
import Glibc
import TestNode
import Testing

/// A node with systemd, which makes the control groups of containers, and removes those that nobody is in.
@Suite(
    .nodes("systemd", options: ["--systemd", "--debug"]),
    .enabled(if: Runtime.shim != nil, "needs ZEROPOD_SHIM_DIRECTORY"))
struct SystemdCgroupTests {
    /// With a stand-in for criu in the cgroups, and without.
    @Test(arguments: ["standby", "on-demand"]) func itsScopeOutlivesASleep(_ wake: String) async throws {
        let node = try await node(.current)
        try await node.withScopedPod("scope", ["wake": wake]) { pod in
            let server = try await pod.start("server", image: "python", command: serverThatHeedsTerm)
            let scope = "cri-containerd-\(server.id).scope"
            let invocation = try await node.systemdProperty("InvocationID", of: scope)
            #expect(!invocation.isEmpty)
            for cycle in 1...3 {
                try await server.awaitSleep(cycle)
                #expect(try await server.processes().isEmpty)
                // The same scope, not another one of the same name.
                #expect(try await node.systemdProperty("ActiveState", of: scope) == "active")
                #expect(try await node.systemdProperty("InvocationID", of: scope) == invocation)
                // It stays awake for as long as somebody looks.
                async let answer = node.get(pod.ip4, port: 8080, path: "/slow?ms=5000").json(ServerState.self)
                try await server.awaitShimLog("restored", times: cycle)
                let procs = "/sys/fs/cgroup\(try await node.systemdProperty("ControlGroup", of: scope))/cgroup.procs"
                try await eventually("what kept the scope has gone, and the container is in it") {
                    let members = try await node.run("cat", procs).lines.compactMap { Int($0) }
                    let processes = try await server.processes()
                    return !members.isEmpty && processes.sorted() == members.sorted()
                }
                #expect(try await answer.counter == cycle)
            }
            #expect(try await server.exec("sh", "-c", "echo $((6 * 7)); exit 3").stdout == "42\n")
            try await server.awaitSleep(4)
            try await server.stop(timeout: 10)
            #expect(try await server.status().exitCode == 7)
            try await server.remove()
            try await node.expectGone(scope)
        }
    }

    /// Given up, a sleep leaves nothing in the scope.
    @Test func itsScopeIsItsOwnAgain() async throws {
        let node = try await node(.current)
        try await node.withStandInForCRIU {
            try await node.holdCRIU()
            try await node.withScopedPod("busy") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                try await server.awaitCheckpointBegin()
                try await node.lettingCRIUGo {
                    // From elsewhere: what comes from the node may be a probe, and waits to be told from one.
                    async let answer = node.get(pod.ip4, port: 8080, path: "/slow?ms=5000", from: .outside)
                    try await server.awaitLog("request 1 ")
                    try await node.letCRIUGo()
                    try await server.awaitShimLog("checkpoint given up")
                    try await eventually("only the container is in its scope") {
                        try await server.processes().count == 1
                    }
                    #expect(try await answer.code == 200)
                }
                try await server.awaitSleep()
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 2)
            }
        }
    }

    /// A checkpoint is made beside the scope, in the pod's slice, and nothing of that stays: not after a sleep, and not after
    /// a shim that died in the middle.
    @Test func aCheckpointIsOnThePodsAccount() async throws {
        let node = try await node(.current)
        try await node.withStandInForCRIU {
            try await node.holdCRIU()
            try await node.withScopedPod("payer") { pod in
                let server = try await pod.start("server", image: "python")
                let place = "/pods.slice/zeropod-dump-"
                let isThere = "ls -d /sys/fs/cgroup\(place)*"
                try await server.awaitCheckpointBegin()
                try await node.lettingCRIUGo {
                    try await eventually("criu is in a group of its own") {
                        try await node.shell("cat $(pgrep -f 'criu swrk' | sed 's,.*,/proc/&/cgroup,')", expecting: nil)
                            .lines.contains { $0.hasPrefix("0::\(place)") }
                    }
                    #expect(try await server.processes().count == 1)
                }
                try await server.awaitSleep()
                try await eventually("its group is gone") { try await node.shell(isThere, expecting: nil).status != 0 }
                // It stays awake for as long as somebody looks.
                let answer = Task { try await node.get(pod.ip4, port: 8080, path: "/slow?ms=5000", from: .outside) }
                try await server.awaitShimLog("restored")
                try await node.holdCRIU()
                try await node.lettingCRIUGo {
                    #expect(try await answer.value.code == 200)
                    try await eventually("there is another checkpoint") {
                        try await node.shell(isThere, expecting: nil).status == 0
                    }
                    try await node.run("kill", "-KILL", "\(try await pod.shimProcess())")
                    _ = try await server.awaitExit()
                    try await server.remove()
                    #expect(try await node.shell(isThere, expecting: nil).status != 0)
                }
            }
        }
    }

    @Test func itsScopeEndsWithAKilledShim() async throws {
        let node = try await node(.current)
        try await node.withScopedPod("lost") { pod in
            let server = try await pod.start("server", image: "python")
            try await server.awaitSleep()
            try await node.run("kill", "-KILL", "\(try await pod.shimProcess())")
            _ = try await server.awaitExit()
            try await node.expectGone("cri-containerd-\(server.id).scope")
        }
    }
}

extension TestNode {
    /// A pod as the kubelet makes them with the cgroup driver systemd.
    fileprivate func withScopedPod(
        _ name: String, _ annotations: [String: String] = [:], _ body: (Pod) async throws -> Void
    ) async throws {
        try await withPod(
            name, runtime: .systemd, annotations: sleepy(annotations), adjust: { $0.cgroupParent = "pods.slice" }, body)
    }

    fileprivate func systemdProperty(_ property: String, of unit: String) async throws -> String {
        try await run("systemctl", "show", "--value", "--property", property, unit).trimmed
    }

    fileprivate func expectGone(_ scope: String) async throws {
        try await eventually("\(scope) is gone") {
            try await systemdProperty("ActiveState", of: scope) == "inactive"
        }
    }
}
