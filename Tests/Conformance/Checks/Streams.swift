import CRI
import Commands
import Foundation
import TestNode

extension Check {
    static let streams = [
        Check("a log keeps streams apart, and its last line") { setup in
            try await setup.withContainer("echo first; echo second >&2; printf last") { container in
                _ = try await container.awaitExit()
                // Each stream comes by itself.
                for text in ["last", "second"] { try await container.awaitLog(text) }
                let lines = Set(try container.log().map { "\($0.stream) \($0.text)" })
                try expect("log", lines, ["stdout first", "stderr second", "stdout last"])
            }
        },
        Check("a log has all of 20000 lines of a brief container") { setup in
            try await setup.withContainer("seq 20000") { container in
                _ = try await container.awaitExit()
                try await container.awaitLog("20000")
                try expect("lines", try container.log().count, 20_000)
            }
        },
        Check("a log is reopened") { setup in
            try await setup.withContainer("mkfifo /tmp/go; echo one; read line < /tmp/go; echo two; sleep 1000") {
                container in
                try await container.awaitLog("one")
                try container.rotateLog()
                try await setup.node.cri.reopenContainerLog(container.id)
                _ = try await container.sh("echo > /tmp/go")
                try await container.awaitLog("two")
                try expect("log", try container.log().map(\.text), ["two"])
            }
        },
        Check("a terminal is the container's") { setup in
            try await setup.withContainer("tty; stty size", adjust: { $0.terminal = true }) { container in
                _ = try await container.awaitExit()
                try await container.awaitLog("/dev/pts/0")
            }
        },
        Check("a terminal's 1 MB of output are complete") { setup in
            try await setup.withContainer("seq 150000", adjust: { $0.terminal = true }) { container in
                _ = try await container.awaitExit()
                try await container.awaitLog("150000")
                try expect("lines", try container.log().count, 150_000)
            }
        },
        Check("a logger of one's own gets all output") { setup in
            let script = """
                printf '#!/bin/sh\\nexec 5>&-; cat <&4 >/dev/null & exec cat <&3 >/tmp/logged\\n' >/tmp/logger
                chmod +x /tmp/logger
                rm -f /tmp/logged
                ctr -n k8s.io run -d --runtime \(setup.shimName) --log-uri binary:///tmp/logger \
                    zeropod.test/busybox:1 logged sh -c 'seq 1000'
                """
            try await setup.node.shell(script)
            try await eventually("the output has come") {
                try await setup.node.shell("tail -n 1 /tmp/logged", expecting: nil).trimmed == "1000"
            }
            try await setup.node.shell(
                "ctr -n k8s.io tasks delete --force logged; ctr -n k8s.io containers delete logged; rm /tmp/logge*")
        },
        Check("a file as log gets all output") { setup in
            let script = """
                rm -f /tmp/file.log
                ctr -n k8s.io run -d --runtime \(setup.shimName) --log-uri file:///tmp/file.log \
                    zeropod.test/busybox:1 filed sh -c 'seq 1000'
                """
            try await setup.node.shell(script)
            try await eventually("the output has come") {
                try await setup.node.shell("tail -n 1 /tmp/file.log", expecting: nil).trimmed == "1000"
            }
            try await setup.node.shell(
                "ctr -n k8s.io tasks delete --force filed; ctr -n k8s.io containers delete filed; rm /tmp/file.log")
        },
        Check("kubectl exec: output, errors, input and status") { setup in
            try await setup.withContainer { container in
                let url = try await setup.node.cri.exec(
                    container.id, ["sh", "-c", "read line; echo out $line; echo err >&2; exit 3"], stdin: true,
                    terminal: false)
                let streamed = try await setup.node.stream(url, sending: [(0, Data("given\n".utf8))])
                try expect("output", streamed.stdout, "out given\n")
                try expect("errors", streamed.stderr, "err\n")
                try expect("status in \(streamed.verdict)", streamed.verdict.contains(#""message":"3""#))
            }
        },
        Check("kubectl exec -t: a terminal, of the size that is told, 2 MB of output") { setup in
            try await setup.withContainer { container in
                let script = "until [ \"$(stty size)\" = '25 99' ]; do sleep 0.02; done; tty; seq 300000; echo last"
                let url = try await setup.node.cri.exec(
                    container.id, ["sh", "-c", script], stdin: true, terminal: true)
                let size = Data(#"{"Width":99,"Height":25}"#.utf8)
                let streamed = try await setup.node.stream(url, sending: [(4, size)])
                try expect("a terminal", streamed.stdout.contains("/dev/pts/"))
                try expect("the last line", streamed.stdout.hasSuffix("300000\r\nlast\r\n"))
                try expect("status in \(streamed.verdict)", streamed.verdict.contains("Success"))
            }
        },
        Check("kubectl attach: input and output of the container") { setup in
            // containerd attaches input, output and errors one after the other, and what is written before is in the
            // log only: so nothing is sent before something has come on the last of the three.
            let script = """
                while :; do echo waiting >&2; sleep 0.05; done & read line; kill $!
                echo got $line; echo err >&2; exit 5
                """
            try await setup.withContainer(script, adjust: { $0.stdin = true }) { container in
                let url = try await setup.node.cri.attach(container.id, stdin: true, terminal: false)
                let streamed = try await setup.node.stream(
                    url, sending: [(0, Data("this\n".utf8))], after: "waiting")
                try expect("output", streamed.stdout, "got this\n")
                try expect("errors", streamed.stderr.hasSuffix("err\n"))
                try expect("status", try await container.awaitExit().exitCode, 5)
                try await container.awaitLog("got this")
            }
        },
        Check("kubectl port-forward leads to a port of the pod") { setup in
            try await setup.withPod { pod in
                try await pod.start("server", image: "python").awaitLog("listening")
                let url = try await setup.node.cri.portForward(pod.id, port: 8080)
                let request = Data("GET / HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n".utf8)
                let streamed = try await setup.node.stream(url, sending: [(0, request)], until: "counter")
                try expect("answer '\(streamed[0])'", streamed[0].contains(#""counter": 1"#))
            }
        },
    ]
}
