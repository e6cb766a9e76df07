import Glibc
import JSON
import Linux
import Runc
import StdIO

/// One trial with real children. It runs in a process of its own, single-threaded as the shim is: who waits for
/// children must be the only one in its process to do so, and a test runner has others.
final class Trial {
    let name: String
    let directory: String
    let loop: EventLoop
    let children: Children
    private(set) var failures: [String] = []
    private var containers: [Runc] = []
    private var expectation: Children.Expectation?

    init(_ name: String) throws {
        self.name = name
        signal(SIGPIPE, SIG_IGN)
        var template = Array("/tmp/zeropod-trial-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        directory = template.withUnsafeBufferPointer { String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self) }
        loop = try EventLoop()
        children = try Children(loop: loop)
    }

    func expect(_ condition: Bool, _ text: @autoclosure () -> String, line: Int = #line) {
        if !condition { failures.append("\(name), line \(line): \(text())") }
    }

    func expectEqual<Value: Equatable>(_ value: Value, _ expected: Value, line: Int = #line) {
        expect(value == expected, "\(value) is not \(expected)", line: line)
    }

    /// The value of a call that has to succeed; the trial ends if it does not.
    func unwrap<Value>(_ result: Result<Value, some Error>, line: Int = #line) throws -> Value {
        do { return try result.get() } catch {
            failures.append("\(name), line \(line): \(error)")
            throw error
        }
    }

    /// Starts something and runs the loop until its completion was called.
    func wait<Value>(_ start: (@escaping (Value) -> Void) throws -> Void) throws -> Value {
        var value: Value?
        try start {
            value = $0
            self.loop.stop()
        }
        let guardian = loop.after(.seconds(60)) { Process.abort("\(self.name): nothing came any more") }
        while value == nil { try loop.run() }
        loop.cancel(guardian)
        guard let value else { throw SystemError("wait", code: EINVAL) }
        return value
    }

    /// The same, for completions that say nothing.
    func waitUntil(_ start: (@escaping () -> Void) throws -> Void) throws {
        try wait { then in try start { then(()) } } as Void
    }

    /// From now on, processes whose end is asked for later may end before.
    func rememberExits() {
        expectation = children.expectUnknown()
    }

    // MARK: Containers

    func runc(_ bundle: String, binary: String = Environment["TRIAL_RUNTIME"] ?? "runc") -> Runc {
        let runc = Runc(
            container: "trial-\(getpid())-\(containers.count)", bundle: bundle,
            options: Runc.Options(binary: binary, root: "\(directory)/state"), loop: loop, children: children)
        containers.append(runc)
        return runc
    }

    func fifo(_ name: String) throws -> String {
        let path = "\(directory)/\(name)"
        if mkfifo(path, 0o600) != 0 { throw SystemError.last("mkfifo", path) }
        return path
    }

    func streams(_ paths: StreamPaths) throws -> ProcessIO {
        try ProcessIO(
            paths, identity: ProcessIO.Identity(container: "c1", namespace: "test"), consoleDirectory: directory,
            loop: loop, children: children, report: { [unowned self] in failures.append("\(name) reported: \($0)") })
    }

    /// Reads a fifo to its end on the loop.
    func collect(_ path: String) throws -> Collector {
        try Collector(path, loop)
    }

    final class Collector {
        private(set) var bytes: [UInt8] = []
        private(set) var hasEnded = false
        private let reader: SharedDescriptor
        private let loop: EventLoop
        private var whenEnded: (() -> Void)?

        init(_ path: String, _ loop: EventLoop) throws {
            self.loop = loop
            reader = SharedDescriptor(try Descriptor.open(path, O_RDONLY | O_NONBLOCK))
            try loop.watch(reader.descriptor, .readable) { [self] _ in read() }
        }

        var text: String { String(decoding: bytes, as: UTF8.self) }

        private func read() {
            guard let more = (try? reader.descriptor.read(atMost: 64 << 10)) ?? nil else { return }
            bytes += more
            if more.isEmpty {
                loop.unwatch(reader.descriptor.rawValue)
                hasEnded = true
                whenEnded?()
            }
        }

        func whenEnded(_ body: @escaping () -> Void) {
            if hasEnded { loop.soon(body) } else { whenEnded = body }
        }
    }

    /// Removes what is left, whatever happened.
    func end() {
        for runc in containers { _ = try? wait { runc.delete(force: true, $0) } }
        try? Files.removeTree(directory)
    }
}
