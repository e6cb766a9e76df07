import Glibc
import JSON
import Linux
import Runc
import StdIO

extension Trial {
    func nothing() -> Runc.ProcessStreams { Runc.ProcessStreams() }

    /// Creates and starts a container that just runs, and gives its pid.
    func start(_ runc: Runc, _ streams: Runc.ProcessStreams = Runc.ProcessStreams()) throws -> pid_t {
        let pid = try unwrap(try wait { runc.create(streams, $0) })
        try unwrap(try wait { runc.start($0) })
        return pid
    }

    func everyVerb() throws {
        rememberExits()
        let runc = runc(try bundle(["sleep", "1000"]))
        let pid = try unwrap(try wait { runc.create(nothing(), $0) })
        expectEqual(try unwrap(try wait { runc.state($0) }).status, .created)
        try unwrap(try wait { runc.start($0) })
        let state = try unwrap(try wait { runc.state($0) })
        expectEqual(state.status, .running)
        expectEqual(state.pid, pid)

        let second = try unwrap(try wait { runc.exec(process: Self.process(["sleep", "1000"]).bytes, nothing(), $0) })
        expectEqual(try unwrap(try wait { runc.processes($0) }).sorted(), [pid, second].sorted())

        try unwrap(try wait { runc.pause($0) })
        expectEqual(try unwrap(try wait { runc.state($0) }).status, .paused)
        try unwrap(try wait { runc.resume($0) })
        let resources: JSON = ["memory": ["limit": 67_108_864]]
        try unwrap(try wait { runc.update(resources: resources.bytes, $0) })
        let cgroup = try RuncState(root: runc.options.root, container: runc.container).cgroup
        let limit =
            cgroup.directories["memory"].map { "\($0)/memory.limit_in_bytes" }
            ?? cgroup.directories[""].map { "\($0)/memory.max" } ?? ""
        expectEqual(try Files.readText(limit), "67108864\n")

        try unwrap(try wait { runc.kill(SIGKILL, all: true, $0) })
        expectEqual(try wait { children.whenEnded(second, $0) }, .signaled(SIGKILL))
        expectEqual(try wait { children.whenEnded(pid, $0) }, .signaled(SIGKILL))
        expectEqual(try unwrap(try wait { runc.state($0) }).status, .stopped)
        try unwrap(try wait { runc.delete($0) })
        expect(!Files.exists("\(runc.options.root)/\(runc.container)"), "state is left")
        expectEqual(try Files.names(in: runc.bundle).sorted(), ["config.json", "init.pid", "rootfs"])
    }

    func failuresHaveKindAndWords() throws {
        rememberExits()
        let runc = runc(try bundle(["sleep", "1000"]))
        func failure<Value>(_ result: Result<Value, RuncError>, line: Int = #line) -> RuncError? {
            if case .failure(let error) = result {
                expectEqual(error.container, runc.container, line: line)
                return error
            }
            expect(false, "it succeeded", line: line)
            return nil
        }
        let exec = Self.process(["true"]).bytes
        expectEqual(failure(try wait { runc.state($0) })?.kind, .containerNotFound)
        expectEqual(failure(try wait { runc.kill(SIGTERM, $0) })?.kind, .containerNotFound)
        expectEqual(failure(try wait { runc.delete($0) })?.kind, .containerNotFound)
        expectEqual(failure(try wait { runc.exec(process: exec, nothing(), $0) })?.kind, .containerNotFound)

        let pid = try start(runc)
        expectEqual(failure(try wait { runc.create(nothing(), $0) })?.kind, .containerExists)
        expectEqual(failure(try wait { runc.resume($0) })?.kind, .notPaused)
        expectEqual(failure(try wait { runc.delete($0) })?.kind, .stillRunning)
        let missing = failure(try wait { runc.exec(process: Self.process(["nonesuch"]).bytes, nothing(), $0) })
        expectEqual(missing?.kind, .other)
        expectEqual(missing?.verb, "exec")
        expect(missing?.description.hasPrefix("OCI runtime exec failed: ") ?? false, missing?.description ?? "")
        expect(missing?.message.split(separator: "\"").contains("nonesuch") ?? false, missing?.message ?? "")

        try unwrap(try wait { runc.kill(SIGKILL, $0) })
        _ = try wait { children.whenEnded(pid, $0) } as ExitStatus
        expectEqual(failure(try wait { runc.exec(process: exec, nothing(), $0) })?.kind, .notRunning)
        expectEqual(failure(try wait { runc.pause($0) })?.kind, .notRunning)
        let kill = failure(try wait { runc.kill(SIGTERM, $0) })?.kind
        expect(kill == .processFinished || kill == .notRunning, "\(String(describing: kill))")

        // The arguments begin with `--root DIRECTORY --log FILE`.
        let script = #"""
            #!/bin/sh
            runc "$@" && exit
            echo '{"level":"fatal","msg":"runc has failed"}' >>"$4"
            exit 1

            """#
        try Files.write(script, to: "\(runc.bundle)/around-runc", mode: 0o755)
        let around = self.runc(runc.bundle, binary: "\(runc.bundle)/around-runc")
        if case .failure(let error) = try wait({ around.delete($0) }) as Result<Void, RuncError> {
            expectEqual(error.message, "container does not exist")
        } else {
            expect(false, "it succeeded")
        }

        let absent = self.runc(runc.bundle, binary: "no-such-runc")
        if case .failure(let error) = try wait({ absent.create(nothing(), $0) }) as Result<pid_t, RuncError> {
            expectEqual(error.kind, .system(SystemError("find", "\"no-such-runc\"", code: ENOENT)))
        } else {
            expect(false, "it succeeded")
        }
    }

    /// A process that ends before runc has even told its pid is not lost.
    func shortLivesAreSeen() throws {
        let runc = runc(try bundle(["sleep", "1000"]))
        _ = try start(runc)
        for round in 0..<20 {
            let process = Self.process(["sh", "-c", "exit \(round)"]).bytes
            let status: ExitStatus = try wait { then in
                runc.exec(process: process, nothing()) { result in
                    switch result {
                    case .success(let pid): self.children.whenEnded(pid, then)
                    case .failure(let error):
                        self.expect(false, "\(error)")
                        then(.exited(-1))
                    }
                }
            }
            expectEqual(status, .exited(Int32(round)))
        }
    }

    /// As after a restore by CRIU: init is gone, and a process that runc did not start as init is in its place.
    func anotherProcessIsAdopted() throws {
        rememberExits()
        let runc = runc(try bundle(["sleep", "1000"], ownPids: false))
        let first = try start(runc)
        let second = try unwrap(try wait { runc.exec(process: Self.process(["sleep", "1000"]).bytes, nothing(), $0) })
        try Process.signal(SIGKILL, to: first)
        _ = try wait { children.whenEnded(first, $0) } as ExitStatus
        expectEqual(try unwrap(try wait { runc.state($0) }).status, .stopped)

        let path = try RuncState(root: runc.options.root, container: runc.container).path
        let before = try JSON(parsing: try Files.read(path))
        try Files.write("", to: "\(runc.options.root)/\(runc.container)/checkpoint")
        try RuncState.adopt(second, root: runc.options.root, container: runc.container)
        expect(!Files.exists("\(runc.options.root)/\(runc.container)/checkpoint"), "the mark is left")
        let after = try JSON(parsing: try Files.read(path))
        expectEqual(after.object?.members.map(\.key), before.object?.members.map(\.key))
        expectEqual(after["config"], before["config"])

        let state = try unwrap(try wait { runc.state($0) })
        expectEqual(state.status, .running)
        expectEqual(state.pid, second)
        expect(try unwrap(try wait { runc.processes($0) }).contains(second), "ps")
        let out = try fifo("out")
        let collector = try collect(out)
        let output = try streams(StreamPaths(stdout: out))
        let exec = Runc.ProcessStreams(descriptors: output.descriptors)
        _ = try unwrap(
            try wait { runc.exec(process: Self.process(["cat", "/proc/sys/kernel/hostname"]).bytes, exec, $0) })
        output.release()
        try waitUntil { collector.whenEnded($0) }
        expectEqual(collector.text, "trial\n")
        try unwrap(try wait { runc.pause($0) })
        try unwrap(try wait { runc.resume($0) })
        let resources: JSON = ["pids": ["limit": 50]]
        try unwrap(try wait { runc.update(resources: resources.bytes, $0) })
        expectEqual(try RuncState(root: runc.options.root, container: runc.container).initPid, second)
        try unwrap(try wait { runc.kill(SIGTERM, $0) })
        expectEqual(try wait { children.whenEnded(second, $0) }, .signaled(SIGTERM))
        try unwrap(try wait { runc.delete($0) })
    }
}
