import JSON
import Linux

/// The runc binary, as the owner of one container calls it; crun takes the same words.
///
/// This room holds what is known about runc: its verbs (one a file), what its error messages mean, its state files, and
/// the bundle's `config.json`, which is its input. What to call and when is decided elsewhere.
///
/// Each verb starts a process and returns at once; its completion is called on the loop, never before the verb has
/// returned. Nothing is kept between calls but what the initialiser was given.
package final class Runc {
    package typealias Completion<Value> = (Result<Value, RuncError>) -> Void

    package struct Options: Equatable, Sendable {
        /// A name to look for on PATH, or a path.
        package var binary: String
        /// Where runc keeps its state, a directory a container.
        package var root: String
        package var systemdCgroup: Bool
        package var noPivotRoot: Bool
        package var noNewKeyring: Bool

        package init(
            binary: String = "runc", root: String, systemdCgroup: Bool = false, noPivotRoot: Bool = false,
            noNewKeyring: Bool = false
        ) {
            self.binary = binary.isEmpty ? "runc" : binary
            self.root = root
            self.systemdCgroup = systemdCgroup
            self.noPivotRoot = noPivotRoot
            self.noNewKeyring = noNewKeyring
        }
    }

    package let container: String
    package let bundle: String
    package let options: Options
    let loop: EventLoop
    let children: Children
    private var calls = 0

    package init(container: String, bundle: String, options: Options, loop: EventLoop, children: Children) {
        self.container = container
        self.bundle = bundle
        self.options = options
        self.loop = loop
        self.children = children
    }

    /// A file in the bundle that no other call uses. Several execs may be under way at once.
    func temporaryFile(_ suffix: String) -> String {
        calls += 1
        return "\(bundle)/runc-\(calls)\(suffix)"
    }

    /// Runs one verb and gives its output.
    ///
    /// - Parameter standardStreams: descriptors for 0, 1 and 2, which the container's process inherits. Without them
    ///   stdout and stderr are caught.
    func call(
        _ verb: String, _ arguments: [String], standardStreams: [Int32: Int32]? = nil,
        _ then: @escaping Completion<[UInt8]>
    ) {
        let log = temporaryFile(".log")
        do throws(SystemError) {
            guard let program = Command.find(options.binary) else {
                throw SystemError("find", "\"\(options.binary)\"", code: SystemError.noSuchFile)
            }
            // A file in memory instead of a pipe: runc never waits for us, and there is nothing to watch.
            let output = try Descriptor.memoryFile("runc output")
            var command = Command(
                program, globalArguments(log: log) + [verb] + arguments, environment: Self.environment)
            command.descriptors = standardStreams ?? [1: output.rawValue, 2: output.rawValue]
            let caught = Caught(output)
            try children.start(command) { [self] status in
                let bytes = caught.read()
                let outcome: Result<[UInt8], RuncError> =
                    status.isSuccess ? .success(bytes) : .failure(error(verb, status, log: log, output: bytes))
                try? Files.remove(log)
                then(outcome)
            }
        } catch {
            loop.soon { [container] in then(.failure(RuncError(verb, container, cannotStart: error))) }
        }
    }

    private func globalArguments(log: String) -> [String] {
        var arguments = ["--root", options.root, "--log", log, "--log-format", "json"]
        if options.systemdCgroup { arguments.append("--systemd-cgroup") }
        return arguments
    }

    /// NOTIFY_SOCKET would make runc wait for the container to announce itself to systemd.
    private static var environment: [String] { Command.ownEnvironment.filter { !$0.hasPrefix("NOTIFY_SOCKET=") } }

    private func error(_ verb: String, _ status: ExitStatus, log: String, output: [UInt8]) -> RuncError {
        let entries = JSON.sequence(parsing: (try? Files.read(log)) ?? [])
        // A program around runc may end with "fatal" and words of its own, after runc has said why.
        let last = { (level: String) in entries.last { $0["level"]?.string == level }?["msg"]?.string }
        let logged = last("error") ?? last("fatal")
        let printed = String(decoding: output, as: UTF8.self)
            .split(whereSeparator: \.isNewline).last.map(String.init)
        return RuncError(verb, container, message: logged ?? printed ?? "", status: status)
    }
}

/// What a call wrote, kept until it ends.
private final class Caught {
    private let file: Descriptor

    init(_ file: consuming Descriptor) {
        self.file = file
    }

    func read() -> [UInt8] {
        (try? file.rewind()).flatMap { try? file.readAll() } ?? []
    }
}
