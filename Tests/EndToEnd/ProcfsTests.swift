import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// A container gets a new procfs at a wake, the old one showed a pid namespace that is gone. It is mounted as the old
    /// one was. (Not tried with subset=pid: runc needs /proc/sys.) Through CRI nobody can ask for options of /proc, so this is a container of a specification of its own.
    @Suite struct ProcfsTests {
        @Test(arguments: [[], ["hidepid=2", "gid=1234"]])
        func itIsMountedAsBefore(_ options: [String]) async throws {
            let node = try await node(.current)
            try await withServer(on: node, procfs: options) {
                let before = try await mount(on: node)
                for option in options where option != "hidepid=2" { #expect(before.contains(option)) }
                try await eventually("it falls asleep") { try await node.sleepReport(of: "procfs").state == "asleep" }
                let get = "ip netns exec procfs curl -sS --max-time 10 http://127.0.0.1:8080/"
                #expect(try await node.shell(get).text.contains(#""counter": 1"#))
                let after = try await mount(on: node)
                #expect(after == before)
            }
        }

        private func withServer(on node: TestNode, procfs options: [String], _ body: () async throws -> Void)
            async throws
        {
            let specification = try await specification(on: node, procfs: options)
            try await node.run("tee", "/run/procfs.json", input: specification)
            let clean = """
                \(ctr) tasks delete --force procfs; \(ctr) containers delete procfs; \(ctr) images unmount --rm /run/procfs
                ip netns delete procfs; rmdir /run/procfs
                """
            do {
                try await node.shell(
                    """
                    set -e
                    mkdir -p /run/procfs; \(ctr) images mount --rw zeropod.test/python:1 /run/procfs
                    ip netns add procfs; ip -n procfs link set lo up
                    \(ctr) run -d --runtime io.containerd.zeropod.v2 --config /run/procfs.json procfs
                    """)
                try await body()
            } catch {
                try await node.shell(clean, expecting: nil)
                throw error
            }
            try await node.shell(clean)
        }

        private var ctr: String { "ctr -n k8s.io" }

        private func specification(on node: TestNode, procfs options: [String]) async throws -> Data {
            let usual = try await node.run("ctr", "oci", "spec").stdout
            var all = try #require(try JSONSerialization.jsonObject(with: usual) as? [String: Any])
            func change(_ key: String, _ body: (inout [String: Any]) -> Void) {
                var value = all[key] as? [String: Any] ?? [:]
                body(&value)
                all[key] = value
            }
            all["root"] = ["path": "/run/procfs"]
            all["annotations"] = sleepy()
            change("process") {
                $0["args"] = ["python3", "/usr/bin/server.py"]
                $0["env"] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
            }
            change("linux") { linux in
                let others = (linux["namespaces"] as? [[String: Any]] ?? []).filter {
                    $0["type"] as? String != "network"
                }
                linux["namespaces"] = others + [["type": "network", "path": "/run/netns/procfs"]]
                linux["cgroupsPath"] = "/procfs/procfs"
            }
            all["mounts"] = (all["mounts"] as? [[String: Any]] ?? []).map { mount in
                var mount = mount
                if mount["destination"] as? String == "/proc" {
                    mount["options"] = (mount["options"] as? [String] ?? []) + options
                }
                return mount
            }
            return try JSONSerialization.data(withJSONObject: all)
        }

        /// As the container's own processes see it.
        private func mount(on node: TestNode) async throws -> String {
            try await node.shell(
                "\(ctr) tasks exec --exec-id look procfs sh -c 'grep \" /proc\" /proc/1/mountinfo | cut -d\" \" -f4- | sort'"
            ).trimmed
        }
    }
}
