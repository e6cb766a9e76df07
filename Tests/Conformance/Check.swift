import CRI
import Commands
import TestNode

/// Something that a runtime must do, tried with each runtime in turn.
struct Check: Sendable {
    let name: String
    let body: @Sendable (Case) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (Case) async throws -> Void) {
        self.name = name
        self.body = body
    }

    static let all =
        lifecycle + calls + endings + execs + streams + events + resources + security + namespaces + mounts + pods
        + shims
}

/// A node, and the runtime that a check is tried with.
struct Case: Sendable {
    let node: TestNode
    let runtime: Runtime

    /// How `ctr` calls the runtime.
    var shimName: String { runtime == .runc ? "io.containerd.runc.v2" : "io.containerd.zeropod.v2" }

    /// A pod for as long as `body` runs.
    func withPod(adjust: (inout PodConfig) -> Void = { _ in }, _ body: (Pod) async throws -> Void) async throws {
        try await node.withPod("check", runtime: runtime, adjust: adjust, body)
    }

    /// A pod with one container, which sleeps in the sense of sleep(1) unless `script` says otherwise.
    func withContainer(
        _ script: String = "sleep 1000", image: String = "busybox", pod: (inout PodConfig) -> Void = { _ in },
        adjust: (inout ContainerConfig) -> Void = { _ in }, _ body: (Container) async throws -> Void
    ) async throws {
        try await withPod(adjust: pod) { pod in
            try await body(try await pod.start("main", image: image, command: ["sh", "-c", script], adjust: adjust))
        }
    }
}

extension Container {
    /// What a shell in the container prints; a status other than zero is an error.
    func sh(_ script: String) async throws -> String {
        let result = try await exec("sh", "-c", script)
        try expect("status of '\(script)', which says: \(result.stderr)", result.exitCode, 0)
        return result.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

struct NotSo: Error, CustomStringConvertible {
    let description: String
}

/// A check cannot be made on this machine. It counts for nobody.
struct NotHere: Error, CustomStringConvertible {
    let description: String
}

func expect(_ what: String, _ condition: Bool) throws {
    if !condition { throw NotSo(description: "not so: \(what)") }
}

func expect<Value: Equatable>(_ what: String, _ found: Value, _ expected: Value) throws {
    if found != expected { throw NotSo(description: "\(what): \(found), not \(expected)") }
}
