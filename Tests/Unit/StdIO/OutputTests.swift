import Glibc
import Linux
import StdIO
import Testing

@Suite struct OutputTests {
    @Test func allOfTenMegabytesArrivesInOrderAndThenTheEnd() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        let sent = numberedLines(0..<400_000)
        #expect(sent.count > 10_000_000)
        var received: [UInt8] = []
        var drained = false
        try bench.collect(path) {
            received = $0
            bench.loop.stop()
        }
        try bench.write([sent], as: 1, of: streams)
        streams.release()
        streams.whenDrained { drained = true }
        try bench.run()
        #expect(received == sent)
        #expect(drained)
    }

    @Test func theTwoStreamsDoNotMix() throws {
        let bench = try Bench()
        let (out, err) = (try bench.fifo("out"), try bench.fifo("err"))
        let streams = try bench.open(StreamPaths(stdout: out, stderr: err))
        var received: [String: [UInt8]] = [:]
        let arrived = { (name: String, bytes: [UInt8]) in
            received[name] = bytes
            if received.count == 2 { bench.loop.stop() }
        }
        try bench.collect(out) { arrived("out", $0) }
        try bench.collect(err) { arrived("err", $0) }
        try bench.write([Array("to stdout".utf8)], as: 1, of: streams)
        try bench.write([Array("to stderr".utf8)], as: 2, of: streams)
        streams.release()
        try bench.run()
        #expect(received == ["out": Array("to stdout".utf8), "err": Array("to stderr".utf8)])
    }

    @Test func onePathForBothIsOpenedOnceAndGetsBoth() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path, stderr: path))
        var received = ""
        try bench.collect(path) {
            received = String(decoding: $0, as: UTF8.self)
            bench.loop.stop()
        }
        // One after the other: between two streams there is no order.
        try bench.write([Array("first ".utf8)], as: 1, of: streams) {
            streams.whenDrained {}
            do { try bench.write([Array("second".utf8)], as: 2, of: streams) { streams.release() } } catch {
                Issue.record(error)
            }
        }
        try bench.run()
        #expect(received.split(separator: " ").sorted() == ["first", "second"])
    }

    /// The fifo is full, the process waits in write(2), the loop rests; and nothing is lost.
    @Test func aReaderThatDoesNotReadHoldsTheProcessUpAndNothingElse() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        let reader = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        let sent = numberedLines(0..<40_000)

        // A process that never waits: it writes until both pipes are full.
        let process = try bench.processEnd(1, of: streams)
        try process.setNonBlocking()
        streams.release()
        var written = 0
        func writeMore() throws {
            while written < sent.count, let count = try process.write(Array(sent[written...])) { written += count }
        }
        try writeMore()
        let afterPipe = written
        // Each turn moves what the fifo takes, until both are full.
        while true {
            let before = written
            try bench.takeTurns()
            try writeMore()
            if written == before { break }
        }
        #expect(written > afterPipe)
        #expect(written <= 3 * afterPipe)

        var received: [UInt8] = []
        while received.count < written {
            guard let bytes = try reader.read(atMost: 4096) else { break }
            received += bytes
        }
        #expect(!received.isEmpty)
        #expect(received == Array(sent[..<received.count]))
    }

    @Test func theLastLineIsDeliveredThoughTheProcessIsGoneAndTheReaderSlow() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        // More than the fifo alone can take, so that a part is still in the pipe when the process ends.
        let sent = numberedLines(0..<4_000)
        let process = try bench.processEnd(1, of: streams)
        try process.setNonBlocking()
        let written = try process.write(sent) ?? 0
        streams.release()
        _ = consume process

        var closed = false
        let reader = SharedDescriptor(try Descriptor.open(path, O_RDONLY | O_NONBLOCK))
        var received: [UInt8] = []
        streams.close {
            closed = true
            bench.loop.stop()
        }
        try bench.loop.watch(reader.descriptor, .readable) { _ in
            do {
                received += try reader.descriptor.read(atMost: 100) ?? []
            } catch { Issue.record(error) }
        }
        try bench.run()
        bench.loop.unwatch(reader.descriptor.rawValue)
        // What the fifo holds is the reader's already.
        while let bytes = try reader.descriptor.read(atMost: 4096), !bytes.isEmpty { received += bytes }
        #expect(received == Array(sent[..<written]))
        #expect(closed)
        #expect(bench.reports.isEmpty)
    }

    @Test func anOrphanThatKeepsThePipeDoesNotHoldTheEndUpForEver() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        let orphan = try bench.processEnd(1, of: streams)
        try orphan.writeAll(Array("last words".utf8))
        var received = ""
        var closed = false
        try bench.collect(path) {
            received = String(decoding: $0, as: UTF8.self)
            bench.loop.stop()
        }
        streams.close(within: .milliseconds(20)) { closed = true }
        try bench.run()
        #expect(received == "last words")
        #expect(closed)
    }

    /// Each line comes alone, and nobody reads yet: the fifo takes as many as have room in it.
    @Test func aFifoHoldsManyShortLines() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        let process = SharedDescriptor(try bench.processEnd(1, of: streams))
        streams.release()
        let lines = (0..<100).map { numberedLines($0..<$0 + 1) }
        for line in lines {
            try process.descriptor.writeAll(line)
            for _ in 0..<10 where process.descriptor.bytesReadable > 0 { try bench.takeTurns() }
        }
        let reader = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        #expect(try reader.read(atMost: 64 << 10) == lines.flatMap { $0 })
    }

    /// A client that hears of the deletion reads no more.
    @Test func theEndWaitsForTheReader() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        let reader = SharedDescriptor(try Descriptor.open(path, O_RDONLY | O_NONBLOCK))
        var received: [UInt8] = []
        try bench.write([numberedLines(0..<1000)], as: 1, of: streams) {
            var closed = false
            streams.close {
                closed = true
                bench.loop.stop()
            }
            func read() {
                #expect(!closed)
                received += (try? reader.descriptor.read(atMost: 4096)) ?? []
                if received.count < numberedLines(0..<1000).count { bench.loop.after(.milliseconds(1), read) }
            }
            bench.loop.after(.milliseconds(20), read)
        }
        try bench.run()
        #expect(received == numberedLines(0..<1000))
    }

    /// Nobody reads any more, and the client that left does not hold the deletion up.
    @Test func theEndWaitsForNobodyWhereNobodyReads() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        let began = Instant.now
        try bench.write([numberedLines(0..<1000)], as: 1, of: streams) { streams.close { bench.loop.stop() } }
        try bench.run()
        #expect(Instant.now.since(began) < ProcessIO.patience)
        #expect(bench.reports.isEmpty)
    }

    /// A process that was left behind writes without end, and its output is taken as fast.
    @Test func anOrphanThatNeverStopsIsNotListenedToForEver() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        let end = try bench.processEnd(1, of: streams)
        var writer = Command("/usr/bin/yes")
        writer.descriptors[1] = end.rawValue
        // Opened here, where somebody has the other end still.
        let fifo = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        try fifo.setNonBlocking(false)
        let nowhere = try Descriptor.open("/dev/null", O_WRONLY)
        var reader = Command("/bin/cat")
        reader.descriptors = [0: fifo.rawValue, 1: nowhere.rawValue]
        let pids = [try writer.spawn(), try reader.spawn()]
        _ = consume end
        _ = consume fifo
        streams.close(within: .milliseconds(50)) { bench.loop.stop() }
        try bench.run()
        // Both end by themselves: nobody reads from the one, nobody writes to the other.
        for pid in pids { while waitpid(pid, nil, 0) < 0 && errno == EINTR {} }
    }

    @Test func whatNobodyTakesInTimeIsReported() throws {
        let bench = try Bench()
        let path = try bench.fifo("out")
        let streams = try bench.open(StreamPaths(stdout: path))
        let process = try bench.processEnd(1, of: streams)
        try process.setNonBlocking()
        bench.loop.after(.milliseconds(1)) {
            // The fifo is full by now and this stays in the pipe.
            _ = try? process.write([UInt8](repeating: 1, count: 1000))
            streams.close(within: .milliseconds(1)) { bench.loop.stop() }
        }
        var written = 0
        while let count = try process.write([UInt8](repeating: 1, count: 4096)) { written += count }
        let fifo = try Descriptor.open(path, O_RDWR | O_NONBLOCK)
        while try fifo.write([UInt8](repeating: 1, count: 4096)) != nil {}
        try bench.run()
        #expect(bench.reports.count == 1)
        #expect(bench.reports.first?.contains(": \(written) bytes were not taken in time") == true, "\(bench.reports)")
    }

    @Test func noPathsMeanNoPipes() throws {
        let bench = try Bench()
        let streams = try bench.open(StreamPaths())
        #expect(streams.descriptors == nil)
        #expect(streams.isDrained)
        streams.close { bench.loop.stop() }
        try bench.run()
    }

    @Test func aFifoThatIsNotThereIsAnErrorThatNamesIt() throws {
        let bench = try Bench()
        let error = #expect(throws: SystemError.self) { try bench.open(StreamPaths(stdout: "/no/such/fifo")) }
        #expect(error?.subject == "/no/such/fifo")
        #expect(error?.code == ENOENT)
    }

    @Test func aFileIsMadeWithItsDirectoryAndAppendedTo() throws {
        let bench = try Bench()
        let path = "\(bench.directory)/logs/a/b.log"
        for (number, part) in [(Int32(1), "one\n"), (2, "two\n")] {
            let streams = try bench.open(StreamPaths(stdout: "file://\(path)"))
            try bench.write([Array(part.utf8)], as: number, of: streams) { streams.close { bench.loop.stop() } }
            try bench.run()
        }
        #expect(try Files.readText(path) == "one\ntwo\n")
    }

    @Test func aDiskThatIsFullDoesNotStopTheProcess() throws {
        let bench = try Bench()
        // Takes nothing, ever: ENOSPC.
        let streams = try bench.open(StreamPaths(stdout: "/dev/full"))
        try bench.write([[UInt8](repeating: 0, count: 1 << 20)], as: 1, of: streams) {
            streams.close { bench.loop.stop() }
        }
        try bench.run()
        #expect(bench.reports.count == 1)
        #expect(bench.reports.first?.contains("No space left on device") == true)
    }

    @Test func thePipesBelongToTheOwner() throws {
        let bench = try Bench()
        let streams = try ProcessIO(
            StreamPaths(stdout: try bench.fifo("out")), owner: ProcessIO.Owner(user: 1234, group: 5678),
            identity: ProcessIO.Identity(container: "c", namespace: "n"), loop: bench.loop, children: bench.children,
            report: { _ in })
        let status = try bench.processEnd(1, of: streams).status()
        #expect(status.st_uid == 1234)
        #expect(status.st_gid == 5678)
    }
}
