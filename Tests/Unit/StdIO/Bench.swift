import Glibc
import Linux
import StdIO
import Testing

/// A process's streams on a bench: fifos as containerd makes them on one side, on the other a test that plays the
/// process.
final class Bench {
    let loop: EventLoop
    let children: Children
    let directory: String
    var reports: [String] = []

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        var template = Array("/tmp/zeropod-stdio-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
        loop = try EventLoop()
        children = try Children(loop: loop)
    }

    deinit {
        try? Files.removeTree(directory)
    }

    func fifo(_ name: String) throws -> String {
        let path = "\(directory)/\(name)"
        try #require(mkfifo(path, 0o600) == 0)
        return path
    }

    func open(_ paths: StreamPaths) throws -> ProcessIO {
        try ProcessIO(
            paths, identity: ProcessIO.Identity(container: "c1", namespace: "test"), consoleDirectory: directory,
            loop: loop, children: children, report: { [unowned self] in reports.append($0) })
    }

    /// Runs the loop until `stop`; a test that hangs fails instead.
    func run(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let guardian = loop.after(.seconds(60)) { [loop] in
            Issue.record("nothing came any more", sourceLocation: sourceLocation)
            loop.stop()
        }
        try loop.run()
        loop.cancel(guardian)
    }

    /// Lets the loop see what is ready now, and what comes of it: so many rounds, however long each takes.
    func takeTurns() throws {
        for _ in 0..<30 {
            loop.soon { [loop] in loop.stop() }
            try run()
        }
    }

    /// Reads a fifo to its end, on a thread, as containerd does. Opened here, before anybody writes.
    func collect(_ path: String, _ then: @escaping ([UInt8]) -> Void) throws {
        let reader = SharedDescriptor(try Descriptor.open(path, O_RDONLY | O_NONBLOCK))
        try reader.descriptor.setNonBlocking(false)
        try loop.onThread("reader") {
            (try? reader.descriptor.readAll(limit: 64 << 20)) ?? []
        } then: {
            then($0)
        }
    }

    /// Plays the process: its own copy of what it would have got as `number`, written to on a thread.
    func write(
        _ chunks: [[UInt8]], as number: Int32, of streams: ProcessIO, _ then: @escaping () -> Void = {}
    ) throws {
        let end = SharedDescriptor(try processEnd(number, of: streams))
        try loop.onThread("process") {
            for chunk in chunks { try? end.descriptor.writeAll(chunk) }
        } then: {
            then()
        }
    }

    func processEnd(_ number: Int32, of streams: ProcessIO) throws -> Descriptor {
        let descriptor = try #require(streams.descriptors?[number])
        return Descriptor(owning: dup(descriptor))
    }
}

/// Lines that tell where they belong, so that a loss, a repetition and a change of order are seen.
func numberedLines(_ range: Range<Int>) -> [UInt8] {
    Array(range.map { "line \($0) of the output\n" }.joined().utf8)
}
