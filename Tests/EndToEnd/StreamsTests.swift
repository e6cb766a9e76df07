import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// Standard streams as ctr, a client of containerd's own, uses them; most under the stock runtime too. script(1)
    /// gives it the terminal that it wants.
    @Suite struct StreamsTests {
        private static let ctr = "ctr -n k8s.io"

        private func exec(_ container: Container, _ name: String, terminal: Bool = false) -> String {
            "\(Self.ctr) tasks exec\(terminal ? " -t" : "") --exec-id \(name) \(container.id)"
        }

        private func withContainer(
            _ containerd: Containerd, _ runtime: Runtime = .zeropod, _ body: (TestNode, Container) async throws -> Void
        ) async throws {
            let node = try await node(containerd)
            try await node.withPod("streams", runtime: runtime) { pod in
                try await body(node, try await pod.start("idle", image: "busybox", command: ["sleep", "1000"]))
            }
        }

        /// 50 MB, to the last byte, though the client is slower than the program. The stock shim loses the end now and
        /// then.
        @Test(arguments: Containerd.usual)
        func muchOutputOfATerminalIsComplete(_ containerd: Containerd) async throws {
            try await withContainer(containerd) { node, container in
                let command = "\(exec(container, "big", terminal: true)) seq 1 6000000"
                let answer = try await node.shell(
                    "script -qec '\(command)' /dev/null </dev/null | sed 's/\\^@//; s/\\r//g' | md5sum; seq 1 6000000 | md5sum",
                    deadline: .seconds(120)
                ).lines
                #expect(answer.first == answer.last)
            }
        }

        @Test(arguments: Setup.usual) func muchOutputOfAPipeIsComplete(_ setup: Setup) async throws {
            try await withContainer(setup.containerd, setup.runtime) { node, container in
                let answer = try await node.shell(
                    "\(exec(container, "big")) seq 1 6000000 </dev/null | md5sum; seq 1 6000000 | md5sum",
                    deadline: .seconds(120)
                ).lines
                #expect(answer.first == answer.last)
            }
        }

        /// What a process says last, right before its end.
        @Test(arguments: Containerd.usual) func noLastLineIsLost(_ containerd: Containerd) async throws {
            try await withContainer(containerd) { node, container in
                let runs = (1...12).map { number in
                    let terminal = exec(container, "t\(number)", terminal: true)
                    return """
                        \(exec(container, "p\(number)")) sh -c 'seq 1 9999; echo last' </dev/null | tail -n 1
                        script -qec "\(terminal) sh -c 'seq 1 9999; echo last'" /dev/null </dev/null | tail -n 1 | tr -d '\\r'
                        """
                }
                let lines = try await node.shell(runs.joined(separator: "\n"), deadline: .seconds(60)).lines
                #expect(lines == [Substring](repeating: "last", count: 24))
            }
        }

        @Test(arguments: Setup.usual) func theTerminalHasTheClientsSize(_ setup: Setup) async throws {
            try await withContainer(setup.containerd, setup.runtime) { node, container in
                // The client sets it after the start.
                let wait = "until stty size | grep -q \"33 91\"; do :; done; echo resized"
                let command = "stty rows 33 cols 91; \(exec(container, "size", terminal: true)) sh -c \(quoted(wait))"
                let answer = try await node.shell("timeout 20 script -qec \(quoted(command)) /dev/null </dev/null")
                #expect(answer.text.contains("resized"))
            }
        }

        @Test(arguments: Setup.usual) func theInputEndsWithTheClients(_ setup: Setup) async throws {
            try await withContainer(setup.containerd, setup.runtime) { node, container in
                let answer = try await node.shell(
                    "seq 1 200000 | timeout 20 \(exec(container, "sum")) sh -c 'md5sum; echo over'; seq 1 200000 | md5sum"
                ).lines
                #expect(answer.count == 3 && answer[0] == answer[2] && answer[1] == "over")
            }
        }

        @Test(arguments: Setup.usual) func aTerminalIsAttachedTo(_ setup: Setup) async throws {
            let node = try await node(setup.containerd)
            let name = "attached-\(setup.runtime)"
            let shim = "io.containerd.\(setup.runtime == .runc ? "runc" : "zeropod").v2"
            // It answers once a line has come; then it ends, and the client with it.
            let program = "read line; echo you said $line; exit 4"
            let run = "\(Self.ctr) run -d -t --runtime \(shim) zeropod.test/busybox:1 \(name) sh -c \(quoted(program))"
            let script = """
                script -qec \(quoted(run)) /dev/null </dev/null
                mkfifo /run/\(name)
                exec 9<>/run/\(name)
                rm /run/\(name)
                echo something >&9
                timeout 20 script -qec '\(Self.ctr) tasks attach \(name)' /dev/null <&9
                \(Self.ctr) tasks delete \(name)
                \(Self.ctr) containers delete \(name)
                """
            let answer = try await node.shell(script, deadline: .seconds(60), expecting: nil)
            #expect(answer.text.contains("you said something"), "\(answer.text)\(answer.errorText)")
        }

        /// A file, and a program that reads: over a sleep too.
        @Test(arguments: Containerd.usual, ["file", "binary"])
        func loggersGetEverything(_ containerd: Containerd, _ scheme: String) async throws {
            let node = try await node(containerd)
            let logger = #"""
                #!/bin/sh
                exec 5>&-
                cat <&4 >/run/logged.err &
                cat <&3 >/run/logged.out
                wait
                echo "$1=$2 $CONTAINER_ID $CONTAINER_NAMESPACE" >/run/logged.end
                """#
            try await node.run(
                "sh", "-c", "cat >/run/logger; chmod +x /run/logger; rm -f /run/logged.*", input: Data(logger.utf8))
            let uri = scheme == "file" ? "file:///run/logged.out" : "binary:///run/logger?key=value"
            let annotations = sleepy().map { "--annotation \($0)=\($1)" }.joined(separator: " ")
            let sleeps = { () async throws -> Int in
                let log = try await node.shell(
                    "grep -c 'scaled down.*container=.logged.' /var/log/containerd.log || true")
                return Int(log.trimmed) ?? 0
            }
            // Of containers of the same name that were there before.
            let before = try await sleeps()
            try await node.shell(
                """
                \(Self.ctr) run -d --runtime io.containerd.zeropod.v2 \(annotations) --log-uri \(quoted(uri)) \
                    --env GREETING=hello zeropod.test/python:1 logged
                """)
            try await eventually("it sleeps") { try await sleeps() > before }
            // A request that wakes it, and whose line the logger gets.
            let get = "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/').read()"
            try await node.shell("\(exec("logged", "get")) python3 -c \(quoted(get)) </dev/null")
            try await node.shell(
                "\(Self.ctr) tasks kill -s 9 logged; \(Self.ctr) tasks delete logged || true; \(Self.ctr) containers delete logged",
                deadline: .seconds(60))
            let lines = try await node.shell("cat /run/logged.out").text
            #expect(lines.contains("listening") && lines.contains("request 1 "), "\(lines)")
            if scheme == "binary" {
                #expect(try await node.shell("cat /run/logged.end").text == "key=value logged k8s.io\n")
            }
        }

        private func exec(_ container: String, _ name: String) -> String {
            "\(Self.ctr) tasks exec --exec-id \(name) \(container)"
        }

        private func quoted(_ text: String) -> String {
            "'" + text.replacing("'", with: #"'\''"#) + "'"
        }
    }
}
