import Glibc
import Linux

/// The standard streams of one process, a container's init or an exec.
///
/// The process gets pipes of ours (or a terminal, which runc makes), never containerd's fifos: so they can stay open
/// while the process is asleep, and containerd and the process need not know of one another's comings and goings.
///
/// Its life: made; `whenReady`; runc is started with `descriptors` (or `consoleSocket`); `release` when runc has ended,
/// so that the end of the process is seen; `hold` before each checkpoint and `release` after each restore;
/// `processEnded`; `close`.
package final class ProcessIO {
    package struct Owner: Equatable, Sendable {
        package var user: uid_t
        package var group: gid_t

        package init(user: uid_t = 0, group: gid_t = 0) {
            self.user = user
            self.group = group
        }
    }

    /// What a logger program is told.
    package struct Identity: Equatable, Sendable {
        package var container: String
        package var namespace: String

        package init(container: String, namespace: String) {
            self.container = container
            self.namespace = namespace
        }
    }

    /// How long the output of a process that has ended may be held up: by a reader that does not read, or by
    /// another process that still has the pipe. The stock shim's number.
    package static let patience = Instant.Span.seconds(10)

    let loop: EventLoop
    let report: (String) -> Void
    /// What the process has as 0, 1 and 2, while we have it too: at its start and while it is asleep.
    var held: [Int32: SharedDescriptor] = [:]
    var input: StreamCopy?
    /// Keeps the fifo from ending when its writer at containerd comes and goes, until CloseIO.
    var inputKeeper: SharedDescriptor?
    /// By the number that the process has them under; a terminal's is 1.
    var outputs: [Int32: StreamCopy] = [:]
    /// The fifos of the outputs.
    var destinations: [Destination] = []
    var logger: Logger?
    var console: ConsoleSocket?
    var master: SharedDescriptor?
    var windowSize: (columns: UInt16, rows: UInt16)?
    private var drainedHandlers: [() -> Void] = []

    /// Opens what containerd named. Bytes are copied from now on.
    ///
    /// - Parameters:
    ///   - owner: of the pipes, for a process in a user namespace that opens `/dev/stdout` (IoUid, IoGid).
    ///   - consoleDirectory: where the socket for a terminal is made; short.
    ///   - report: a line for the shim's log.
    package init(
        _ paths: StreamPaths, owner: Owner = Owner(), identity: Identity, consoleDirectory: String = "/run/zeropod",
        loop: EventLoop, children: Children, report: @escaping (String) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.report = report
        let targets = try OutputTarget.pair(paths)
        let start = { [children] (url: LoggerURL, pipes: LoggerPipes) throws(SystemError) in
            try Logger(
                url, pipes, container: identity.container, namespace: identity.namespace, loop: loop,
                children: children)
        }
        if paths.terminal {
            try prepareTerminal(paths.stdin, targets.stdout, in: consoleDirectory, startLogger: start)
        } else {
            if !paths.stdin.isEmpty { try connectInput(paths.stdin, owner) }
            try connectOutputs(targets, owner, startLogger: start)
        }
    }

    /// For runc, as 0, 1 and 2; what is not there is /dev/null. Valid until `release`. Nil for terminals and for no
    /// streams at all.
    package var descriptors: [Int32: Int32]? {
        console != nil || held.isEmpty ? nil : held.mapValues { $0.descriptor.rawValue }
    }

    /// For runc's `--console-socket`. Valid until `release`.
    package var consoleSocket: String? { console?.path }

    package var isTerminal: Bool { console != nil || master != nil }

    /// Calls `body` when the process may start: at once, but for loggers, which are waited for.
    package func whenReady(_ body: @escaping (Result<Void, SystemError>) -> Void) {
        if let logger { logger.whenReady(body) } else { loop.soon { body(.success(())) } }
    }

    /// CloseIO: stdin ends for the process, once containerd's side has closed the fifo and all that was written to it
    /// was delivered.
    package func closeStdin() {
        inputKeeper = nil
    }

    // MARK: The end

    /// The process has ended. Its output is still copied, until all who have the pipe are gone.
    package func processEnded() {
        release()
        inputKeeper = nil
        input.take()?.end()
    }

    /// Whether all output was delivered.
    package var isDrained: Bool { console == nil && outputs.values.allSatisfy(\.hasEnded) }

    /// Calls `body` when all output was delivered and its end was seen; soon, if that is so.
    package func whenDrained(_ body: @escaping () -> Void) {
        if isDrained { loop.soon(body) } else { drainedHandlers.append(body) }
    }

    func outputEnded() {
        guard isDrained else { return }
        let handlers = drainedHandlers
        drainedHandlers = []
        for body in handlers { body() }
    }

    /// Closes everything, after what is left was delivered and read, or `patience` is over. Calls `then` afterwards, when the
    /// logger has ended too.
    package func close(within patience: Instant.Span = ProcessIO.patience, _ then: @escaping () -> Void) {
        processEnded()
        let deadline = Instant.now + patience
        let timer = loop.after(patience) { [self] in
            console = nil
            for output in outputs.values { output.finish() }
            outputEnded()
        }
        whenDrained { [self] in
            loop.cancel(timer)
            master = nil
            if let logger { return logger.stop(by: deadline, then) }
            whenRead(by: deadline, then)
        }
    }
}
