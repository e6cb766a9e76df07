import Glibc
import Linux
import StdIO
import Testing

// `hold` opens other descriptions of the same pipes: what is tested here is that the kernel and we agree.

@Suite struct SleepTests {
    /// Twenty checkpoints and restores of a process that writes before and after each, as its reader sees them.
    @Test func overTwentySleepsNothingIsLostOrRepeatedAndNoEndIsSeen() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        var received: [UInt8] = []
        try bench.collect(path) {
            received = $0
            bench.loop.stop()
        }

        var process: SharedDescriptor? = SharedDescriptor(try bench.processEnd(1, of: streams))
        streams.release()
        var keys: Set<String> = []
        for cycle in 0..<20 {
            try process?.descriptor.writeAll(numberedLines(cycle * 20..<cycle * 20 + 10))
            try streams.hold()
            let ends = streams.processEnds
            #expect(ends.map(\.number) == [1])
            keys.formUnion(ends.map(\.key))
            // The dump: the process and its descriptors are gone.
            process = nil
            // The end, were it seen, would be seen now.
            try bench.takeTurns()
            #expect(!streams.isDrained)
            // The restore: CRIU gives the process a copy of what we hold.
            let end = try #require(ends.first)
            process = SharedDescriptor(Descriptor(owning: dup(end.descriptor)))
            streams.release()
            try process?.descriptor.writeAll(numberedLines(cycle * 20 + 10..<cycle * 20 + 20))
        }
        #expect(keys.count == 1)
        process = nil
        try bench.run()
        #expect(received == numberedLines(0..<400))
    }

    @Test func stdinOfASleepingProcessWaitsForIt() throws {
        let bench = try Bench()
        let path = try bench.fifo("in")
        let streams = try bench.open(StreamPaths(stdin: path))
        var process: SharedDescriptor? = SharedDescriptor(try bench.processEnd(0, of: streams))
        streams.release()
        let writer = try Descriptor.open(path, O_WRONLY)
        try writer.writeAll(Array("before ".utf8))
        try bench.takeTurns()
        try streams.hold()
        process = nil
        // Without somebody who has the read end, this would be EPIPE.
        try writer.writeAll(Array("asleep".utf8))
        try bench.takeTurns()
        let end = try #require(streams.processEnds.first)
        #expect(end.number == 0)
        process = SharedDescriptor(Descriptor(owning: dup(end.descriptor)))
        streams.release()
        #expect(try process?.descriptor.read(atMost: 100) == Array("before asleep".utf8))
        #expect(bench.reports.isEmpty)
    }

    @Test func stdinClosedAsleepIsClosed() throws {
        let bench = try Bench()
        let path = try bench.fifo("in")
        let streams = try bench.open(StreamPaths(stdin: path))
        var process: SharedDescriptor? = SharedDescriptor(try bench.processEnd(0, of: streams))
        streams.release()
        try streams.hold()
        process = nil
        do {
            let writer = try Descriptor.open(path, O_WRONLY)
            try writer.writeAll(Array("last".utf8))
            streams.closeStdin()
        }
        try bench.takeTurns()
        let end = try #require(streams.processEnds.first)
        process = SharedDescriptor(Descriptor(owning: dup(end.descriptor)))
        streams.release()
        #expect(try process?.descriptor.read(atMost: 100) == Array("last".utf8))
        #expect(try process?.descriptor.read(atMost: 100)?.isEmpty == true)
    }

    /// What CRIU hands to the process is the open file itself: its flags are the process's.
    @Test func whatIsHeldIsBlockingAndOpenOneWay() throws {
        let bench = try Bench()
        let streams = try bench.open(
            StreamPaths(stdin: try bench.fifo("in"), stdout: try bench.fifo("out"), stderr: try bench.fifo("err")))
        streams.release()
        try streams.hold()
        let ends = streams.processEnds
        #expect(ends.map(\.number) == [0, 1, 2])
        #expect(Set(ends.map(\.key)).count == 3)
        for end in ends {
            let flags = fcntl(end.descriptor, F_GETFL)
            #expect(flags & O_NONBLOCK == 0)
            #expect(flags & O_ACCMODE == (end.number == 0 ? O_RDONLY : O_WRONLY))
            #expect(try Files.target(ofLink: "/proc/self/fd/\(end.descriptor)") == end.key)
        }
        streams.release()
        #expect(streams.processEnds.isEmpty)
    }

    @Test func aStreamThatHasEndedIsNotHeld() throws {
        let bench = try Bench()
        let streams = try bench.open(StreamPaths(stdout: try bench.fifo("out"), stderr: try bench.fifo("err")))
        let error = SharedDescriptor(try bench.processEnd(2, of: streams))
        streams.release()
        // The process has closed its stdout and goes on without.
        try bench.takeTurns()
        try streams.hold()
        #expect(streams.processEnds.map(\.number) == [2])
        _ = error
    }
}
