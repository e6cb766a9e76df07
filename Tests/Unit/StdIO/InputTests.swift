import Glibc
import Linux
import StdIO
import Testing

@Suite struct InputTests {
    /// What the process reads up to its end of stdin.
    private func read(_ streams: ProcessIO, on bench: Bench, _ then: @escaping ([UInt8]) -> Void) throws {
        let end = SharedDescriptor(try bench.processEnd(0, of: streams))
        try bench.loop.onThread("process") {
            (try? end.descriptor.readAll()) ?? []
        } then: {
            then($0)
        }
    }

    @Test func closingDeliversWhatWasWrittenAndThenTheEnd() throws {
        let bench = try Bench()
        let path = try bench.fifo("in")
        let streams = try bench.open(StreamPaths(stdin: path))
        let sent = numberedLines(0..<50_000)
        var received: [UInt8] = []
        try read(streams, on: bench) {
            received = $0
            bench.loop.stop()
        }
        streams.release()
        let writer = SharedDescriptor(try Descriptor.open(path, O_WRONLY))
        var unfinished: SharedDescriptor? = writer
        try bench.loop.onThread("containerd") {
            try? writer.descriptor.writeAll(sent)
        } then: {
            // CloseIO, with much still in the pipes.
            streams.closeStdin()
            unfinished = nil
        }
        _ = consume writer
        try bench.run()
        #expect(received == sent)
        #expect(unfinished == nil)
    }

    @Test func aWriterThatGoesAwayIsNotTheEnd() throws {
        let bench = try Bench()
        let path = try bench.fifo("in")
        let streams = try bench.open(StreamPaths(stdin: path))
        var received = ""
        var ended = false
        try read(streams, on: bench) {
            received = String(decoding: $0, as: UTF8.self)
            ended = true
            bench.loop.stop()
        }
        streams.release()
        for word in ["one ", "two"] {
            // containerd restarts in between.
            try Descriptor.open(path, O_WRONLY).writeAll(Array(word.utf8))
            try bench.takeTurns()
            #expect(!ended)
        }
        streams.closeStdin()
        try bench.run()
        #expect(received == "one two")
    }

    @Test func aProcessThatClosesItsStdinIsNotWrittenToAnyMore() throws {
        let bench = try Bench()
        let path = try bench.fifo("in")
        let streams = try bench.open(StreamPaths(stdin: path))
        streams.release()
        let writer = try Descriptor.open(path, O_WRONLY)
        try writer.writeAll([1])
        try bench.takeTurns()
        let error = #expect(throws: SystemError.self) { try writer.writeAll([2]) }
        #expect(error?.code == EPIPE)
        #expect(bench.reports.isEmpty)
    }

    @Test func whatIsNoFifoIsRefused() throws {
        let bench = try Bench()
        #expect(throws: SystemError.self) { try bench.open(StreamPaths(stdin: "/dev/zero")) }
    }
}
