import CRI
import Commands
import TestNode

extension Check {
    static let execs = [
        Check("an exec gives output, errors and status") { setup in
            try await setup.withContainer { container in
                let result = try await container.exec("sh", "-c", "echo out; echo err >&2; exit 7")
                try expect("output", result.stdout, "out\n")
                try expect("errors", result.stderr, "err\n")
                try expect("status", result.exitCode, 7)
            }
        },
        Check("a missing program of an exec is named in the error") { setup in
            try await setup.withContainer { container in
                do {
                    _ = try await container.exec("/no/such/program")
                    throw NotSo(description: "it ran")
                } catch let error as CallFailed {
                    try expect("'\(error.message)' names it", error.message.contains("/no/such/program"))
                }
                _ = try await container.sh("true")
            }
        },
        // Were each of them to wait until its output is read, they would take longer than a check may.
        Check("15 execs of a missing program are refused at once") { setup in
            try await setup.withContainer { container in
                for _ in 1...15 {
                    do {
                        _ = try await container.exec("/no/such/program")
                        throw NotSo(description: "it ran")
                    } catch _ as CallFailed {}
                }
            }
        },
        Check("an exec that takes too long is ended") { setup in
            try await setup.withContainer { container in
                do {
                    _ = try await setup.node.cri.execSync(container.id, ["sleep", "54321"], timeout: 1)
                    throw NotSo(description: "it was let run")
                } catch let error as CallFailed {
                    try expect("code of '\(error.message)'", [2, 4].contains(error.code))
                }
                try await eventually("its process is gone") {
                    try await setup.node.shell("pgrep -f 'sleep 5432[1]'", expecting: nil).trimmed.isEmpty
                }
            }
        },
        Check("an exec's 5 MB of output are complete") { setup in
            try await setup.withContainer { container in
                let result = try await container.exec("sh", "-c", "yes 0123456789abcde | head -c 5000000")
                try expect("bytes", result.stdout.utf8.count, 5_000_000)
            }
        },
        Check("an exec reads its input to the end") { setup in
            try await setup.withContainer { container in
                let command = "head -c 300000 /dev/zero | ctr -n k8s.io tasks exec --exec-id in \(container.id) wc -c"
                try expect("bytes", try await setup.node.shell(command).trimmed, "300000")
            }
        },
        Check("200 execs at once leave no descriptor, thread or zombie") { setup in
            try await setup.withContainer { container in
                func storm(_ count: Int) async throws -> Int {
                    try await withThrowingTaskGroup { group in
                        for number in 1...count {
                            group.addTask {
                                try await setup.node.cri.execSync(container.id, ["echo", "\(number)"]).stdout
                            }
                        }
                        return try await group.reduce(into: Set<String>()) { $0.insert($1) }.count
                    }
                }
                // What is opened once is open after a small storm.
                try expect("different answers", try await storm(50), 50)
                let shim = try await container.pod.shimProcess()
                let before = try await ShimCensus(of: shim, on: setup.node)
                try expect("different answers", try await storm(200), 200)
                // Go's runtime keeps a descriptor or two more.
                try await eventually("\(before) again") {
                    let after = try await ShimCensus(of: shim, on: setup.node)
                    guard after.zombies == 0, after.children == before.children,
                        after.descriptors <= before.descriptors + 2
                    else { throw NotSo(description: "\(after)") }
                    return true
                }
            }
        },
    ]
}

/// What a shim holds.
struct ShimCensus: Sendable {
    let descriptors: Int
    let children: Int
    let zombies: Int

    init(of shim: Int, on node: TestNode) async throws {
        let script = """
            ls /proc/\(shim)/fd | wc -l
            ps -o pid= --ppid \(shim) | wc -l
            ps -o stat= --ppid \(shim) | grep -c '^Z'
            """
        let numbers = try await node.shell(script, expecting: nil).lines.compactMap { Int($0) }
        guard numbers.count == 3 else { throw NotSo(description: "no shim \(shim)") }
        (descriptors, children, zombies) = (numbers[0], numbers[1], numbers[2])
    }
}
