import Glibc
import Linux

extension Runc {
    /// What a new process gets besides its specification.
    package struct ProcessStreams {
        /// 0, 1 and 2. Without them, and for terminals, it is /dev/null.
        package var descriptors: [Int32: Int32]?
        /// Where runc sends the terminal's master end.
        package var consoleSocket: String?

        package init(descriptors: [Int32: Int32]? = nil, consoleSocket: String? = nil) {
            self.descriptors = descriptors
            self.consoleSocket = consoleSocket
        }

        var arguments: [String] { consoleSocket.map { ["--console-socket", $0] } ?? [] }
    }

    private var createArguments: [String] {
        var arguments = ["--bundle", bundle]
        if options.noPivotRoot { arguments.append("--no-pivot") }
        return arguments
    }

    /// Where the container's pid is written, under the name that containerd's tools know.
    private var pidFile: String { "\(bundle)/init.pid" }

    /// `runc create`: the container's init, waiting to be started. Gives its pid; it is our child (we are a subreaper),
    /// and an exit before the completion ran can still be asked of `Children`.
    package func create(_ streams: ProcessStreams, _ then: @escaping Completion<pid_t>) {
        var arguments = createArguments + ["--pid-file", pidFile] + streams.arguments
        if options.noNewKeyring { arguments.append("--no-new-keyring") }
        launch("create", arguments + [container], streams, pidFile: pidFile, then)
    }

    /// `runc start`: lets the created init execute its program.
    package func start(_ then: @escaping Completion<Void>) {
        call("start", [container]) { then($0.map { _ in }) }
    }

    /// `runc restore` from images that runc or containerd's checkpoint made. Gives the pid of init, which runs.
    package func restore(
        images: String, workDirectory: String, _ streams: ProcessStreams, _ then: @escaping Completion<pid_t>
    ) {
        var arguments = ["--detach", "--image-path", images, "--work-path", workDirectory]
        arguments += createArguments + ["--pid-file", pidFile] + streams.arguments
        launch("restore", arguments + [container], streams, pidFile: pidFile, then)
    }

    /// Runs a verb that leaves a process behind and tells its pid in a file.
    func launch(
        _ verb: String, _ arguments: [String], _ streams: ProcessStreams, pidFile: String,
        _ then: @escaping Completion<pid_t>
    ) {
        // The process may end before runc does. Its exit must not be lost for want of somebody who knows its pid.
        let expectation = children.expectUnknown()
        call(verb, arguments, standardStreams: streams.descriptors) { [container] result in
            withExtendedLifetime(expectation) {
                then(
                    result.flatMap { _ in
                        do throws(SystemError) {
                            return .success(try Self.readPid(pidFile))
                        } catch {
                            return .failure(RuncError(verb, container, cannotStart: error))
                        }
                    })
            }
        }
    }

    private static func readPid(_ path: String) throws(SystemError) -> pid_t {
        let text = try Files.readText(path)
        guard let pid = pid_t(text.filter { !$0.isWhitespace }), pid > 0 else {
            throw SystemError("parse", path, code: EBADMSG)
        }
        return pid
    }
}
