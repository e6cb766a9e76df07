import Glibc
import JSON
import Linux
import Runc
import StdIO

extension Trial {
    /// Starts an exec with streams and gives its exit status when it has ended.
    func run(_ runc: Runc, _ arguments: [String], _ streams: ProcessIO, terminal: Bool = false) throws -> ExitStatus {
        try wait { then in
            let given = Runc.ProcessStreams(descriptors: streams.descriptors, consoleSocket: streams.consoleSocket)
            runc.exec(process: Self.process(arguments, terminal: terminal).bytes, given) { result in
                streams.release()
                switch result {
                case .success(let pid): self.children.whenEnded(pid, then)
                case .failure(let error):
                    self.expect(false, "\(error)")
                    then(.exited(-1))
                }
            }
        }
    }

    func containerOutputIsComplete() throws {
        rememberExits()
        let script = "seq 1 400000; echo last"
        let runc = runc(try bundle(["sh", "-c", script]))
        let out = try fifo("out")
        let collector = try collect(out)
        let streams = try streams(StreamPaths(stdout: out))
        let pid = try start(runc, Runc.ProcessStreams(descriptors: streams.descriptors))
        streams.release()
        expectEqual(try wait { children.whenEnded(pid, $0) }, .exited(0))
        try waitUntil { streams.close($0) }
        try waitUntil { collector.whenEnded($0) }
        let expected = (1...400_000).map { "\($0)\n" }.joined() + "last\n"
        expect(collector.text == expected, "\(collector.bytes.count) bytes instead of \(expected.utf8.count)")
    }

    func execReadsItsInputToTheEnd() throws {
        let runc = runc(try bundle(["sleep", "1000"]))
        _ = try start(runc)
        let (input, out) = (try fifo("in"), try fifo("out"))
        let collector = try collect(out)
        let streams = try streams(StreamPaths(stdin: input, stdout: out))
        var writer: SharedDescriptor? = SharedDescriptor(try Descriptor.open(input, O_WRONLY))
        try writer?.descriptor.writeAll(Array("some words\n".utf8))
        writer = nil
        streams.closeStdin()
        expectEqual(try run(runc, ["cat"], streams), .exited(0))
        try waitUntil { streams.close($0) }
        try waitUntil { collector.whenEnded($0) }
        expectEqual(collector.text, "some words\n")
    }

    func backgroundProcessesDoNotHoldExecsUp() throws {
        let runc = runc(try bundle(["sleep", "1000"]))
        _ = try start(runc)
        let out = try fifo("out")
        let collector = try collect(out)
        let streams = try streams(StreamPaths(stdout: out))
        expectEqual(try run(runc, ["sh", "-c", "sleep 1000 & echo done"], streams), .exited(0))
        expect(!streams.isDrained, "drained, though the pipe is still open")
        try waitUntil { streams.close(within: .milliseconds(10), $0) }
        try waitUntil { collector.whenEnded($0) }
        expectEqual(collector.text, "done\n")
    }

    func terminalOutputIsComplete() throws {
        let runc = runc(try bundle(["sleep", "1000"]))
        _ = try start(runc)
        for round in 0..<5 {
            let out = try fifo("out\(round)")
            let collector = try collect(out)
            let streams = try streams(StreamPaths(stdout: out, terminal: true))
            expect(streams.isTerminal, "no terminal")
            expectEqual(try run(runc, ["seq", "1", "50000"], streams, terminal: true), .exited(0))
            try waitUntil { streams.close($0) }
            try waitUntil { collector.whenEnded($0) }
            let expected = (1...50_000).map { "\($0)\r\n" }.joined()
            expect(collector.text == expected, "\(collector.bytes.count) bytes instead of \(expected.utf8.count)")
        }
        expectEqual(try Files.names(in: directory).filter { $0.hasPrefix("console") }, [])
    }

    func terminalsHaveSizeAndInput() throws {
        rememberExits()
        let bundle = try bundle(["sh", "-c", "stty size; cat; echo over"], terminal: true)
        let runc = runc(bundle)
        let (input, out) = (try fifo("in"), try fifo("out"))
        let collector = try collect(out)
        let streams = try streams(StreamPaths(stdin: input, stdout: out, terminal: true))
        try streams.resize(columns: 132, rows: 43)
        let pid = try unwrap(try wait { runc.create(Runc.ProcessStreams(consoleSocket: streams.consoleSocket), $0) })
        streams.release()
        try unwrap(try wait { runc.start($0) })
        var writer: SharedDescriptor? = SharedDescriptor(try Descriptor.open(input, O_WRONLY))
        try writer?.descriptor.writeAll(Array("hello\n".utf8))
        writer = nil
        streams.closeStdin()
        expectEqual(try wait { children.whenEnded(pid, $0) }, .exited(0))
        try waitUntil { streams.close($0) }
        try waitUntil { collector.whenEnded($0) }
        // The terminal echoes; where the echo lands depends on whether cat runs already.
        let lines = collector.text.split(separator: "\r\n").sorted()
        expectEqual(lines, ["43 132", "hello", "hello", "over"])
    }

    func aTerminalThatRuncNeverMakesIsNotWaitedFor() throws {
        let runc = runc(try bundle(["nonesuch"], terminal: true))
        let out = try fifo("out")
        let collector = try collect(out)
        let streams = try streams(StreamPaths(stdout: out, terminal: true))
        let result =
            try wait {
                runc.create(Runc.ProcessStreams(consoleSocket: "\(directory)/no.sock"), $0)
            } as Result<pid_t, RuncError>
        if case .success = result { expect(false, "it succeeded") }
        try waitUntil { streams.close($0) }
        try waitUntil { collector.whenEnded($0) }
        expectEqual(collector.text, "")
    }

    func loggersReadEverything() throws {
        rememberExits()
        let log = "\(directory)/log"
        let script = "\(directory)/logger"
        try Files.write(
            """
            #!\(Self.busybox) sh
            exec 5>&-
            echo "$1=$2 $CONTAINER_ID $CONTAINER_NAMESPACE" > \(log).env
            cat <&4 > \(log).err &
            cat <&3 > \(log).out
            wait
            """, to: script, mode: 0o755)
        let runc = runc(try bundle(["sh", "-c", "seq 1 100000; echo oops >&2"]))
        let streams = try streams(StreamPaths(stdout: "binary://\(script)?key=value"))
        try unwrap(try wait { streams.whenReady($0) })
        let pid = try start(runc, Runc.ProcessStreams(descriptors: streams.descriptors))
        streams.release()
        expectEqual(try wait { children.whenEnded(pid, $0) }, .exited(0))
        try waitUntil { streams.close($0) }
        expectEqual(try Files.readText("\(log).env"), "key=value c1 test\n")
        expectEqual(try Files.readText("\(log).err"), "oops\n")
        expect(try Files.readText("\(log).out") == (1...100_000).map { "\($0)\n" }.joined(), "output is incomplete")
    }

    func aLoggerThatCrashesIsNoticed() throws {
        let script = "\(directory)/logger"
        try Files.write("#!\(Self.busybox) sh\nexit 1\n", to: script, mode: 0o755)
        let streams = try streams(StreamPaths(stdout: "binary-v2://\(script)"))
        if case .success = try wait({ streams.whenReady($0) }) as Result<Void, SystemError> {
            expect(false, "ready")
        }
        let end = Descriptor(owning: dup(streams.descriptors?[1] ?? -1))
        streams.release()
        try waitUntil { streams.close($0) }
        do {
            try end.writeAll([1])
            expect(false, "somebody still reads")
        } catch {
            expectEqual(error.code, EPIPE)
        }
    }

    /// One that goes on when its input has ended gets SIGTERM.
    func aLoggerThatStaysIsTerminated() throws {
        let script = "\(directory)/logger"
        try Files.write(
            """
            #!\(Self.busybox) sh
            trap 'echo terminated > \(directory)/log; exit' TERM
            exec 5>&-
            while :; do \(Self.busybox) sleep 0.01; done
            """, to: script, mode: 0o755)
        let streams = try streams(StreamPaths(stdout: "binary://\(script)"))
        try unwrap(try wait { streams.whenReady($0) })
        // Both a failed start and a delete may close it.
        var closed = 0
        for _ in 0..<2 {
            streams.close {
                closed += 1
                if closed == 2 { self.loop.stop() }
            }
        }
        try loop.run()
        expectEqual(try Files.readText("\(directory)/log"), "terminated\n")
    }
}
