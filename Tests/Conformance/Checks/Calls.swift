import CRI
import Commands
import Glibc
import TestNode

/// The columns "awake", "paused" and "exited" of docs/calls.md, asked of the shim directly.
extension Check {
    static let calls = [
        Check("every call of the Task service, awake, paused and ended, is carried out or refused") { setup in
            try await setup.withContainer { container in
                let shim = try await setup.shim(of: container.pod)
                let (id, pid) = (container.id, try await container.pid())
                var wrong: [String] = []
                func call(_ name: String, _ isDone: Bool, _ body: () async throws -> Void) async {
                    do {
                        try await body()
                        if !isDone { wrong.append("\(name) is carried out") }
                    } catch {
                        if isDone { wrong.append("\(name): \(error)") }
                    }
                }
                func ask(_ state: TaskStatus) async {
                    await call("State", true) { try expect("state", try await shim.state(id).status, state) }
                    await call("Connect", true) { _ = try await shim.connect(id) }
                    await call("Create", false) { try await shim.create(id, bundle: "/") }
                    await call("Start", false) { _ = try await shim.start(id) }
                    await call("Shutdown", true) { try await shim.shutdown(id) }
                    await call("CloseIO", true) { try await shim.closeStdin(id) }
                    await call("State of another", false) { _ = try await shim.state("another") }
                }
                // Awake.
                await ask(.running)
                await call("Pids", true) { try expect("pids", try await shim.pids(id), [pid]) }
                await call("Stats", true) { try expect("time", try await shim.stats(id).cpuNanoseconds > 0) }
                await call("Delete", false) { _ = try await shim.delete(id) }
                await call("Resume", false) { try await shim.resume(id) }
                await call("Update", true) { try await shim.update(id, resources: #"{"memory":{"limit":100663296}}"#) }
                await call("Kill, not heeded", true) { try await shim.kill(id, SIGTERM) }
                await call("Exec", true) { try await shim.exec(id, "one", arguments: ["sh", "-c", "exit 4"]) }
                await call("Exec of the same name", false) { try await shim.exec(id, "one", arguments: ["true"]) }
                await call("Start of the exec", true) { _ = try await shim.start(id, exec: "one") }
                await call("Delete of the exec", true) {
                    let status = try await eventually("its end") { try? await shim.delete(id, exec: "one") }
                    try expect("status", status, 4)
                }
                await call("Exec of no program", true) { try await shim.exec(id, "none", arguments: ["/no/such"]) }
                await call("Start of no program", false) { _ = try await shim.start(id, exec: "none") }
                await call("State of what has never run", true) {
                    try expect("state", try await shim.state(id, exec: "none").status, .created)
                }
                await call("Delete of what has never run", true) { _ = try await shim.delete(id, exec: "none") }
                // Paused.
                await call("Pause", true) { try await shim.pause(id) }
                await ask(.paused)
                await call("Pids, paused", true) { try expect("pids", try await shim.pids(id), [pid]) }
                await call("Pause, paused", false) { try await shim.pause(id) }
                await call("Exec, paused", false) {
                    try await shim.exec(id, "two", arguments: ["true"])
                    _ = try await shim.start(id, exec: "two")
                }
                await call("Delete, paused", false) { _ = try await shim.delete(id) }
                await call("Stats, paused", true) { try expect("time", try await shim.stats(id).cpuNanoseconds > 0) }
                await call("Update, paused", true) {
                    try await shim.update(id, resources: #"{"memory":{"limit":83886080}}"#)
                }
                await call("Kill, paused", true) { try await shim.kill(id, SIGTERM) }
                await call("Resume, paused", true) { try await shim.resume(id) }
                // Ended. containerd deletes it then; nothing that it has not been told is asked before.
                let wait = Task { try await shim.wait(id) }
                await call("Kill all", true) { try await shim.kill(id, SIGKILL, all: true) }
                await call("Wait", true) { try expect("status", try await wait.value, 137) }
                _ = try await container.awaitExit()
                await call("Kill, deleted", false) { try await shim.kill(id, SIGTERM) }
                await call("State, deleted", false) { _ = try await shim.state(id) }
                try expect("no call is answered otherwise: \(wrong.joined(separator: "; "))", wrong.isEmpty)
            }
        }
    ]
}

extension Case {
    /// The shim of a pod, spoken to without containerd.
    fileprivate func shim(of pod: Pod) async throws -> ShimClient {
        let bundle = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/\(pod.id)"
        let address = try await node.shell(
            "cd \(bundle); cat address 2>/dev/null || jq -r .address bootstrap.json 2>/dev/null || grep -o 'unix:[^\"]*' bootstrap.json"
        ).trimmed
        return ShimClient(
            socket: node.root + address.dropFirst("unix://".count), version: node.containerd == .current ? 3 : 2)
    }
}
