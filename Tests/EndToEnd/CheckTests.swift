import Commands
import Foundation
import TestNode
import Testing

/// A line of `zeropod check --json`.
private struct Line: Decodable {
    let subject: String
    let verdict: String
    let detail: String
    let remedy: String?
}

extension AlteredNodes {
    /// `zeropod check`: what is there, what is not, and the way out.
    @Suite struct CheckTests {
        private let check = "/opt/zeropod/bin/zeropod check"

        private func lines(on node: TestNode, _ arguments: String = "", status: Int32) async throws -> [Line] {
            let output = try await node.shell("\(check) --json \(arguments)", expecting: status)
            return try JSONDecoder().decode([Line].self, from: output.stdout)
        }

        static let subjects: Set = [
            "kernel", "user", "BPF", "tracker", "task iterator", "userfaultfd", "cgroups",
            "disk", "encryption", "swap", "criu", "restore", "runc", "containerd", "daemon", "configuration", "shim",
        ]

        @Test(arguments: Containerd.allCases) func everythingIsLookedAt(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            // containerd has a PATH of its own here, which nobody else sees.
            let link = "/usr/local/bin/containerd-shim-zeropod-v2"
            try await node.altered(by: "ln -s /opt/zeropod/bin/containerd-shim-zeropod-v2 \(link)", back: "rm \(link)")
            {
                try await lookAtEverything(on: node, containerd)
            }
        }

        private func lookAtEverything(on node: TestNode, _ containerd: Containerd) async throws {
            let lines = try await lines(on: node, status: 0)
            #expect(Set(lines.map(\.subject)) == Self.subjects)
            for line in lines {
                #expect(["good", "limited"].contains(line.verdict), "\(line)")
                #expect((line.remedy == nil) == (line.verdict == "good"), "\(line)")
                #expect(!line.detail.isEmpty)
            }
            let table = try await node.shell(check)
            #expect(table.lines.count == lines.count + lines.count { $0.remedy != nil } + 1)
            #expect(table.text.hasSuffix("containers can sleep on this node\n"))
            #expect(table.text.contains("containerd     \(containerd.rawValue)."))
        }

        /// How to take it away, how to give it back, and what is said then.
        struct Lack: Sendable, CustomStringConvertible {
            let subject: String
            let take: String
            let giveBack: String
            let detail: String
            let remedy: String

            var description: String { "\(subject): \(detail)" }
        }

        private static let file = "/etc/containerd/config.toml"
        private static let keep = "cp -p \(file) /tmp/config.kept"
        private static let restore = "cat /tmp/config.kept >\(file)"

        private static let hideCRIU = "mv /usr/sbin/criu /usr/sbin/criu.hidden"
        private static let showCRIU = "mv /usr/sbin/criu.hidden /usr/sbin/criu"

        /// One that tells its version as ours does, and for the rest does what is said.
        private static func fakeCRIU(_ script: String) -> String {
            """
            printf '%s\\n' '#!/bin/sh' 'echo Version: 4.2' 'echo Keeps: descriptors' 'echo Keeps: user namespaces' \\
                '[ "$1" = --version ] || { \(script); }' \\
                >/usr/sbin/criu
            chmod +x /usr/sbin/criu
            """
        }

        static let lacks = [
            Lack(
                subject: "criu", take: hideCRIU, giveBack: showCRIU, detail: "not found",
                remedy: "'zeropod install' of the image brings one"),
            Lack(
                subject: "criu", take: "\(hideCRIU); echo 'no program' >/usr/sbin/criu; chmod +x /usr/sbin/criu",
                giveBack: showCRIU, detail: "does not start", remedy: "install it again"),
            Lack(
                subject: "restore", take: "\(hideCRIU); \(fakeCRIU("echo Error: no such thing; exit 1"))",
                giveBack: showCRIU,
                detail: "dump: Error: no such thing", remedy: "check -v4"),
            Lack(
                subject: "restore", take: "\(hideCRIU); \(fakeCRIU("exit 0"))", giveBack: showCRIU,
                detail: "brought nothing back", remedy: "check -v4"),
            Lack(
                subject: "runc", take: "mv /usr/sbin/runc /usr/sbin/runc.hidden; mv /usr/bin/crun /usr/bin/crun.hidden",
                giveBack: "mv /usr/sbin/runc.hidden /usr/sbin/runc; mv /usr/bin/crun.hidden /usr/bin/crun",
                detail: "neither runc nor crun", remedy: "install the package runc"),
            Lack(
                subject: "containerd", take: "mv /usr/bin/containerd /usr/bin/containerd.hidden",
                giveBack: "mv /usr/bin/containerd.hidden /usr/bin/containerd", detail: "there is no containerd",
                remedy: "install containerd 1.7 or later"),
            Lack(
                subject: "containerd",
                take: """
                    mv /usr/bin/containerd /usr/bin/containerd.hidden
                    printf '%s\\n' '#!/bin/sh' '[ "$1" = --version ] || exec containerd.hidden "$@"' \\
                        'echo containerd x 1.6.20 y' >/usr/bin/containerd
                    chmod +x /usr/bin/containerd
                    """,
                giveBack: "mv /usr/bin/containerd.hidden /usr/bin/containerd", detail: "1.6.20",
                remedy: "containerd 1.7 or later"),
            Lack(
                subject: "daemon", take: "mv /run/containerd/containerd.sock /run/containerd/hidden.sock",
                giveBack: "mv /run/containerd/hidden.sock /run/containerd/containerd.sock",
                detail: "does not answer at",
                remedy: "start containerd"),
            Lack(
                subject: "configuration",
                take: "\(keep); awk '/^\\[/ { ours = /runtimes.zeropod/ } !ours' /tmp/config.kept >\(file)",
                giveBack: restore, detail: "has no runtime 'zeropod'", remedy: "run 'zeropod install'"),
            Lack(
                subject: "configuration", take: "\(keep); echo '[[[' >>\(file)", giveBack: restore,
                detail: "containerd cannot read \(file)", remedy: "mend \(file)"),
            Lack(
                subject: "cgroups", take: "mount -t tmpfs none /sys/fs/cgroup", giveBack: "umount /sys/fs/cgroup",
                detail: "not mounted at /sys/fs/cgroup", remedy: "mount cgroup2 there"),
        ]

        @Test(arguments: lacks) func whatIsMissingIsNamed(_ lack: Lack) async throws {
            let node = try await node(.current)
            try await node.altered(by: lack.take, back: lack.giveBack) {
                let lines = try await lines(on: node, status: 1).filter { $0.verdict == "missing" }
                let line = try #require(lines.first { $0.subject == lack.subject }, "\(lines)")
                #expect(line.detail.contains(lack.detail))
                #expect(line.remedy?.contains(lack.remedy) == true, "\(line)")
                let table = try await node.shell(check, expecting: 1).text
                #expect(table.contains("MISSING  \(lack.subject) "))
                #expect(table.hasSuffix("containers cannot sleep on this node\n"))
            }
        }

        /// Each line is obtained by doing the thing, and leaves nothing.
        @Test func whatIsTriedIsTakenBack() async throws {
            let node = try await node(.current)
            let lines = try await lines(on: node, status: 0)
            #expect(lines.contains { $0.subject == "BPF" && $0.detail == "attached to lo by tcx" }, "\(lines)")
            let restored = lines.first { $0.subject == "restore" }
            #expect(restored?.detail.hasPrefix("a process was checkpointed and restored in ") == true, "\(lines)")
            #expect(try await node.leftovers() == [])
            let left = "ls -d /tmp/zeropod-check.*; pgrep -f '[s]tand-still'"
            #expect(try await node.shell(left, expecting: 1).text == "")
        }

        @Test func withoutCapabilitiesNothingIsAttached() async throws {
            let node = try await node(.current)
            // A thread that is tried first may end late, and must not take the signal that a program has ended.
            for _ in 1...20 {
                let output = try await node.shell(
                    "setpriv --bounding-set -bpf,-sys_admin --inh-caps -bpf,-sys_admin \(check)", expecting: 1)
                #expect(output.text.contains("MISSING  BPF "), "\(output.text)")
            }
        }

        @Test(.enabled(if: Encryption.isPossible, Encryption.needs)) func encryptionIsTried() async throws {
            let node = try await node(.current)
            for isPossible in [true, false] {
                try await node.withDisk(thatEncrypts: isPossible) { _ in
                    let line = try await lines(on: node, status: 0).first { $0.subject == "encryption" }
                    #expect(line?.verdict == (isPossible ? "good" : "limited"))
                    #expect(line?.remedy?.hasPrefix("'tune2fs -O encrypt DEVICE'") == (isPossible ? nil : true))
                    #expect(try await node.shell("ls /var/lib/zeropod").text == "lost+found\n")
                }
            }
        }

        /// The daemon's pod: what it lacks itself is nothing that the node lacks.
        @Test func inAPodTheShimsAreAsked() async throws {
            let node = try await node(.current)
            let inPod = "KUBERNETES_SERVICE_HOST=10.96.0.1 setpriv --bounding-set -all --inh-caps -all \(check)"
            try await node.withSleepyPod("asked", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                let before = try await node.shell(inPod).text
                #expect(before.contains("ok       shims   of 1 containers 0 are asleep\n"), "\(before)")
                #expect(before.hasSuffix("whether containers can sleep on this node is not known here\n"))
                try await eventually("it can sleep") {
                    try await node.run("/opt/zeropod/bin/zeropod", "sleep", server.id, expecting: nil).status == 0
                }
                let after = try await node.shell(inPod).text
                #expect(after.contains("the rest on the node itself: sudo /opt/zeropod/bin/zeropod check"), "\(after)")
                #expect(after.contains("of 1 containers 1 are asleep\ncontainers sleep on this node\n"), "\(after)")
                #expect(!after.contains("MISSING"))
            }
        }

        /// What a shim has found out for a container stands for the node.
        @Test func inAPodTheNodesLacksAreTold() async throws {
            let node = try await node(.current)
            try await node.altered(by: Self.hideCRIU, back: Self.showCRIU) {
                try await node.withSleepyPod("unable", after: "1s") { pod in
                    _ = try await pod.start("server", image: "python")
                    let inPod = "KUBERNETES_SERVICE_HOST=10.96.0.1 setpriv --bounding-set -all --inh-caps -all \(check)"
                    try await eventually("the shim has looked for criu") {
                        let said = try await node.shell(inPod, expecting: nil)
                        return said.status == 1 && said.text.contains("MISSING  node ")
                            && said.text.hasSuffix("containers cannot sleep on this node\n")
                    }
                }
            }
        }

        @Test func oneWhoIsNotRootIsTold() async throws {
            let node = try await node(.current)
            let output = try await node.shell("setpriv --reuid 65534 --clear-groups \(check)", expecting: 1)
            #expect(output.text.contains("MISSING  user "))
            #expect(output.text.contains("→ run this as root"))
        }
    }
}
