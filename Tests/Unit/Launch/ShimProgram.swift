import ContainerdAPI
import Glibc
import JSON
import Linux
import Protobuf
import TTRPC

/// The program itself, called as containerd calls it, in a bundle of its own. Whatever serves at the end is ended.
final class ShimProgram {
    /// What is on standard input.
    enum Input {
        case bytes([UInt8])
        case closed
        case terminal
        /// These bytes, and then no end.
        case unfinished([UInt8])
        /// So many zeros.
        case long(Int)
    }

    struct Outcome {
        let status: Int32
        let output: [UInt8]
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
    }

    static let canStart = getuid() == 0
    let bundle: String
    /// Stands in for containerd's address: it makes the socket's one that nobody else has.
    let containerd = "/run/zeropod-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).sock"
    private var served: Set<String> = []

    init(annotations: [String: String] = [:]) throws {
        var template = Array("/tmp/zeropod-start-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        bundle = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        var document: JSON = ["ociVersion": "1.0.2", "annotations": [:]]
        for (key, value) in annotations { document["annotations"]?[key] = .string(value) }
        try Files.write(document.text, to: "\(bundle)/config.json")
    }

    deinit {
        for path in served { _ = try? shutDown(path) }
        try? Files.removeTree(bundle)
    }

    private static let path: String = {
        let tests = (try? Files.target(ofLink: "/proc/self/exe")) ?? ""
        return "/" + tests.split(separator: "/").dropLast().joined(separator: "/") + "/containerd-shim-zeropod-v2"
    }()

    func start(
        id: String = "c", input: Input = .bytes([]), environment: [String: String] = [:], prefix: [String] = []
    ) throws -> Outcome {
        let arguments = ["-namespace", "test", "-address", containerd, "-publish-binary", "/bin/true", "-id", id]
        let outcome = try run(arguments + ["start"], input: input, environment: environment, prefix: prefix)
        if let address = try? Files.readText("\(bundle)/address") { served.insert(UnixSocket.path(ofAddress: address)) }
        return outcome
    }

    /// - Parameter prefix: a program that runs the rest of its arguments.
    func run(
        _ arguments: [String], input: Input = .bytes([]), environment: [String: String] = [:], prefix: [String] = []
    ) throws -> Outcome {
        let output = try Descriptor.memoryFile("output")
        let errors = try Descriptor.memoryFile("errors")
        let isClosed = if case .closed = input { true } else { false }
        // What it writes down for good stays its own.
        let apart = ["unshare", "--mount", "/bin/sh", "-c", #"mount -t tmpfs own /var/lib && exec "$@""#, "sh"]
        let closing = isClosed ? ["/bin/sh", "-c", #"exec "$@" <&-"#, "sh"] : []
        // The limit only turns a hang into a failure.
        var command = Command(
            "/usr/bin/timeout", ["60"] + apart + closing + prefix + [Self.path] + arguments,
            environment: environment.merging(["PATH": Environment["PATH"] ?? ""]) { given, _ in given }
                .map { "\($0)=\($1)" }, directory: bundle)
        let input = try open(input)
        command.descriptors = [0: input.end.descriptor.rawValue, 1: output.rawValue, 2: errors.rawValue]
        let pid = try command.spawn()
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        try output.rewind()
        try errors.rewind()
        withExtendedLifetime(input) {}
        return Outcome(
            status: status >> 8, output: try output.readAll(),
            errors: String(decoding: try errors.readAll(), as: UTF8.self))
    }

    /// What the program gets, and what must stay open meanwhile.
    private func open(_ input: Input) throws -> (end: SharedDescriptor, other: SharedDescriptor?) {
        switch input {
        case .terminal:
            let master = SharedDescriptor(try Descriptor.open("/dev/ptmx", O_RDWR | O_NOCTTY))
            grantpt(master.descriptor.rawValue)
            unlockpt(master.descriptor.rawValue)
            let path = String(cString: ptsname(master.descriptor.rawValue))
            return (SharedDescriptor(try Descriptor.open(path, O_RDWR | O_NOCTTY)), master)
        case .closed:
            return (SharedDescriptor(try Descriptor.open("/dev/null")), nil)
        case .unfinished(let bytes):
            let pipe = try SharedPipe()
            try pipe.write.descriptor.writeAll(bytes)
            return (pipe.read, pipe.write)
        case .long(let count):
            return try open(.bytes([UInt8](repeating: 0, count: count)))
        case .bytes(let bytes):
            let file = SharedDescriptor(try Descriptor.memoryFile("input"))
            try file.descriptor.writeAll(bytes)
            try file.descriptor.rewind()
            return (file, nil)
        }
    }

    // MARK: Calls

    /// The serving process's pid, as its Connect call of one of the two services says.
    func shimPid(_ address: String, service: String = "containerd.task.v2.Task") throws -> pid_t {
        let request = ConnectRequest { $0.id = "c" }
        return pid_t(try call(address, service, "Connect", request, ConnectResponse.self).shimPid)
    }

    /// Ends the serving process, and gives its pid.
    @discardableResult
    func shutDown(_ address: String) throws -> pid_t {
        let pid = try shimPid(address)
        _ = try call(address, "containerd.task.v2.Task", "Shutdown", ShutdownRequest { $0.id = "c" }, Empty.self)
        served.remove(UnixSocket.path(ofAddress: address))
        return pid
    }

    private func call<Request: Message, Response: Message>(
        _ address: String, _ service: String, _ method: String, _ request: Request, _: Response.Type
    ) throws -> Response {
        let loop = try EventLoop()
        let client = try Client(loop: loop, address: address)
        var answer: Result<Response, Status>?
        client.call(service, method, request, timeout: .seconds(30)) { (result: Result<Response, Status>) in
            answer = result
            loop.stop()
        }
        try loop.run()
        client.close()
        guard let answer else { throw SystemError("call", method, code: EIO) }
        return try answer.get()
    }
}
