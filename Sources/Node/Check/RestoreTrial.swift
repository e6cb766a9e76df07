import Glibc
import Linux

/// Has criu write a small process to disk and bring it back.
struct RestoreTrial {
    /// Where it is on this machine.
    let criu: String
    private let host = Host(root: "")

    /// What this program is called with to be that process. Not for people.
    static let verb = "stand-still"

    /// - Returns: how long the two took, in words.
    func run() throws -> String {
        let directory = try makeDirectory()
        defer { try? Files.removeTree(directory) }
        var command = Command("/proc/self/exe", [Self.verb])
        command.newSession = true
        let pid = try command.spawn()
        let original = try ProcessHandle(pid)
        defer { original.kill() }

        let begin = Instant.now
        try run(["dump", "--tree", "\(pid)"], directory)
        // Its pid is free when it has been waited for.
        Self.end(original, pid)
        try run(["restore", "--restore-detached"], directory)
        let took = Int(Instant.now.since(begin).milliseconds)
        // criu was its parent. Now it is this process, which is a subreaper.
        guard let restored = try? ProcessHandle(pid) else { throw Problem("\(criu) restore brought nothing back") }
        Self.end(restored, pid)
        return "a process was checkpointed and restored in \(took) ms"
    }

    private func makeDirectory() throws(SystemError) -> String {
        var template = Array("/tmp/zeropod-check.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .last("mkdtemp", "/tmp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func run(_ arguments: [String], _ directory: String) throws {
        let (log, verb) = ("\(arguments[0]).log", arguments[0])
        let (status, output) = try host.run(
            criu, arguments + ["--images-dir", directory, "--log-file", log, "--manage-cgroups=ignore"])
        guard status != 0 else { return }
        let said = (try? Files.readText("\(directory)/\(log)")) ?? output
        // The last line says only that it failed, and what failed first may be no matter (no tun device).
        let errors = said.split(separator: "\n").filter { $0.contains("Error") && !$0.contains("FAILED") }.suffix(2)
        throw Problem("\(verb): \(errors.isEmpty ? "status \(status)" : errors.joined(separator: "; "))")
    }

    private static func end(_ process: ProcessHandle, _ pid: pid_t) {
        process.kill()
        process.waitForEnd(atMost: 10_000)
        // `Host.run` may have waited for it already.
        waitpid(pid, nil, WNOHANG)
    }
}
