import CRI
import Commands
import TestNode

extension Check {
    static let endings = [
        Check("the exit status is the program's") { setup in
            try await setup.withPod { pod in
                for code in [0, 1, 42, 128, 255] {
                    let container = try await pod.start(
                        "exit-\(code)", image: "busybox", command: ["sh", "-c", "exit \(code)"])
                    let status = try await container.awaitExit()
                    try expect("status", status.exitCode, code)
                    try expect("reason", status.reason, code == 0 ? "Completed" : "Error")
                }
            }
        },
        Check("a signal's status is 128 and the signal") { setup in
            try await setup.withContainer { container in
                for (signal, code) in [("HUP", 129), ("KILL", 137), ("SEGV", 139), ("TERM", 143)] {
                    let result = try await container.exec("sh", "-c", "kill -\(signal) $$")
                    try expect("status after \(signal)", result.exitCode, code)
                }
                try await container.stop(timeout: 0)
                try expect("status of the container", try await container.status().exitCode, 137)
            }
        },
        Check("a program that heeds SIGTERM has its time") { setup in
            try await setup.withContainer("trap 'echo leaving; exit 7' TERM; while true; do sleep 0.05; done") {
                container in
                // Without the trap the signal would be lost on a first process.
                try await eventually("the trap is set") {
                    try await container.sh("awk '/SigCgt/ { print $2 }' /proc/1/status") != "0000000000000000"
                }
                try await container.stop(timeout: 60)
                try expect("status", try await container.status().exitCode, 7)
                try await container.awaitLog("leaving")
            }
        },
        Check("a container killed as it starts ends, 10 times") { setup in
            try await setup.withPod { pod in
                for round in 1...10 {
                    let container = try await pod.create(
                        "brief-\(round)", image: "busybox", command: ["sleep", "1000"])
                    async let start: Void? = try? container.start()
                    try await container.stop(timeout: 0)
                    _ = await start
                    try? await container.stop(timeout: 0)
                    try await container.remove()
                }
            }
        },
        Check("orphans of a container on the node's process namespace are reaped") { setup in
            try await setup.withContainer(
                "sh -c 'sleep 0.1 & sleep 0.1 & sleep 0.1 &'; sleep 1000",
                pod: { $0.namespaces.pid = .node }, adjust: { $0.security.namespaces.pid = .node }
            ) { container in
                // An exec that leaves a child behind, too.
                _ = try await container.sh("sleep 0.1 >/dev/null 2>&1 &")
                let shim = try await container.pod.shimProcess()
                try await eventually("the shim has no ended child") {
                    try await setup.node.shell(
                        "ps -o stat= --ppid \(shim) | grep -c '^Z'", expecting: nil
                    ).trimmed == "0"
                }
                try expect("state", try await container.status().state, .running)
            }
        },
        Check("processes of an ended container on the node's process namespace end") { setup in
            try await setup.withContainer(
                "sleep 87654 & sleep 0.5", pod: { $0.namespaces.pid = .node },
                adjust: { $0.security.namespaces.pid = .node }
            ) { container in
                _ = try await container.awaitExit()
                try await eventually("nothing is left") {
                    try await setup.node.shell("pgrep -f 'sleep 8765[4]'", expecting: nil).trimmed.isEmpty
                }
            }
        },
    ]
}
