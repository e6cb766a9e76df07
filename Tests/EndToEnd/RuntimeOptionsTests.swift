import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// The options table of containerd's configuration, in both forms in which it reaches a shim.
    @Suite struct RuntimeOptionsTests {
        /// Everything that a container goes through, with crun in runc's place.
        @Test(arguments: Containerd.allCases) func crunDoesAsWell(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withPod("crun", runtime: .crun, annotations: sleepy(after: "500ms")) { pod in
                let server = try await pod.start("server", image: "python", command: serverThatHeedsTerm)
                func state() async throws -> String {
                    try await node.run("crun", "--root", "/run/crun/k8s.io", "state", server.id).text
                }
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    #expect(try await server.processes().isEmpty)
                    #expect(try await state().contains(#""status": "stopped""#))
                    #expect(try await server.status().state == .running)
                    let answer = try await node.get(pod.ip4, port: 8080).json(ServerState.self)
                    #expect(answer.counter == cycle)
                    // crun knows the process that CRIU has made.
                    let known = try await state()
                    #expect(known.contains(#""status": "running""#))
                    let processes = try await server.processes()
                    #expect(processes.contains { known.contains("\"pid\": \($0),") }, "\(processes) \(known)")
                    #expect(try await server.exec("sh", "-c", "echo $((6 * 7)); exit 3").stdout == "42\n")
                }
                var resources = Resources()
                resources.memoryLimit = 96 << 20
                try await node.cri.updateContainerResources(server.id, resources)
                #expect(try await server.memoryLimit() == 96 << 20)
                try await server.awaitSleep(4)
                try await server.stop(timeout: 10)
                #expect(try await server.status().exitCode == 7)
                try await server.remove()
                #expect(try await node.shell("ls /run/crun/k8s.io").trimmed == pod.id)
            }
        }

        /// All the others. What becomes of two of them shows only in what runc is told.
        @Test(arguments: Containerd.allCases) func everyOptionIsHeeded(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            // One hierarchy is enough.
            let hierarchy = "[ -d /sys/fs/cgroup/pids ] && echo /sys/fs/cgroup/pids || echo /sys/fs/cgroup"
            let cgroup = "\(try await node.shell(hierarchy).trimmed)/shims"
            try await node.shell("mkdir \(cgroup); : >/run/recorded-runc")
            try await node.withPod("options", runtime: .options, annotations: sleepy(after: "500ms")) { pod in
                let server = try await pod.start("server", image: "python")
                let pid = try await server.pid()
                // Root.
                let list = try await node.run("runc", "--root", "/run/other-runc/k8s.io", "list", "-q").lines.sorted()
                #expect(list.map(String.init) == [pod.id, server.id].sorted())
                // IoUid and IoGid; runc has given the pipes to the process's user since.
                let owners = try await node.shell("stat -Lc %u:%g /proc/\(pid)/fd/{1,2}").lines
                #expect(owners == ["0:5678", "0:5678"])
                // ShimCgroup.
                let shim = try await pod.shimProcess()
                let members = try await node.shell("cat \(cgroup)/cgroup.procs").lines
                #expect(members.contains("\(shim)"), "\(members), and the shim is \(shim)")
                // BinaryName, NoPivotRoot, NoNewKeyring.
                let calls = try await node.shell("cat /run/recorded-runc").lines.filter { $0.contains(" create ") }
                #expect(calls.count == 2)
                #expect(calls.allSatisfy { $0.contains(" --no-pivot ") && $0.contains(" --no-new-keyring ") })
                let keyrings = try await node.shell("cat /proc/keys").text
                #expect(!keyrings.contains("_ses.\(server.id)"))
                // And it sleeps and wakes like any other.
                try await server.awaitSleep()
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                #expect(try await server.exec("echo", "here").stdout == "here\n")
            }
            try await eventually("the shim has ended") {
                try await node.shell("rmdir \(cgroup)", expecting: nil).status == 0
            }
        }

        /// containerd 2 asks what a runtime can do.
        @Test func itsFeaturesAreThoseOfItsRuntime() async throws {
            let node = try await node(.current)
            func features(_ runtime: String) async throws -> NSDictionary? {
                let answer = try await node.run("ctr", "plugins", "inspect-runtime", "--runtime", runtime).stdout
                return (try JSONSerialization.jsonObject(with: answer) as? NSDictionary)?["Features"] as? NSDictionary
            }
            let ours = try #require(try await features("io.containerd.zeropod.v2"))
            #expect(ours.count > 3)
            #expect(ours == (try await features("io.containerd.runc.v2")))
        }

        /// Else the kubelet refuses pods with `hostUsers: false`, and mounts with `recursiveReadOnly`. containerd 1.7 tells of
        /// no runtime.
        @Test(arguments: Containerd.allCases) func theKubeletIsToldOfThem(_ containerd: Containerd) async throws {
            let features = try await node(containerd).cri.features()
            let isTold = containerd == .current ? true : nil
            #expect(features["zeropod"]?.recursiveReadOnly == isTold)
            #expect(features["zeropod"]?.userNamespaces == isTold)
        }

        @Test func aConfigurationFileThatCannotBeReadIsNamed() async throws {
            let node = try await node(.current)
            let run = "ctr -n k8s.io run --rm --runtime io.containerd.zeropod.v2 --runtime-config-path"
            let outcome = try await node.shell(
                "\(run) /no/such.toml zeropod.test/busybox:1 broken true", expecting: nil)
            #expect(outcome.status != 0)
            #expect(outcome.errorText.contains("/no/such.toml: No such file or directory"), "\(outcome.errorText)")
        }
    }
}
