import Glibc
import Linux

/// A logger program (`binary://`), which reads a process's output instead of containerd.
///
/// It gets stdout on descriptor 3, stderr on 4, and closes 5 when it is ready. We keep a copy of the ends it reads, so
/// that they can be written to again after a sleep and it can be seen when all is read; they are closed when the logger
/// ends, so that a process whose logger has crashed gets EPIPE and does not hang.
final class Logger {
    /// The time it has for its clean-up after SIGTERM.
    private static let patience = Instant.Span.seconds(12)
    private static let glance = Instant.Span.milliseconds(20)

    private let url: LoggerURL
    private let loop: EventLoop
    private var pid: pid_t?
    private var ready: SharedDescriptor?
    private var whenReady: [(Result<Void, SystemError>) -> Void] = []
    private var readiness: Result<Void, SystemError>?
    private var whenEnded: [() -> Void] = []
    private var stdout: SharedDescriptor?
    private var stderr: SharedDescriptor?

    init(
        _ url: LoggerURL, _ pipes: LoggerPipes, container: String, namespace: String, loop: EventLoop,
        children: Children
    ) throws(SystemError) {
        self.url = url
        self.loop = loop
        stdout = pipes.stdout
        stderr = pipes.stderr
        let readyPipe = try SharedPipe()
        var command = Command(
            url.program, url.arguments,
            environment: ["CONTAINER_ID=\(container)", "CONTAINER_NAMESPACE=\(namespace)"])
        command.descriptors = [
            3: pipes.stdout.descriptor.rawValue, 4: pipes.stderr.descriptor.rawValue,
            5: readyPipe.write.descriptor.rawValue,
        ]
        pid = try children.start(command) { [self] _ in ended() }
        let ready = readyPipe.read
        self.ready = ready
        try loop.watch(ready.descriptor, .readable) { [unowned self] _ in announced(ready) }
    }

    deinit {
        if let ready { loop.unwatch(ready.descriptor.rawValue) }
    }

    private func announced(_ ready: SharedDescriptor) {
        loop.unwatch(ready.descriptor.rawValue)
        let isSilent = ((try? ready.descriptor.read(atMost: 1)) ?? nil)?.isEmpty ?? true
        self.ready = nil
        let result: Result<Void, SystemError> =
            url.mustAnnounce && isSilent
            ? .failure(SystemError("wait for logger to announce itself", url.program, code: EPIPE)) : .success(())
        readiness = result
        for body in whenReady { body(result) }
        whenReady = []
    }

    /// Calls `body` when the logger is ready or will never be; soon, if that is known.
    func whenReady(_ body: @escaping (Result<Void, SystemError>) -> Void) {
        if let readiness { loop.soon { body(readiness) } } else { whenReady.append(body) }
    }

    private func ended() {
        pid = nil
        stdout = nil
        stderr = nil
        for body in whenEnded { body() }
        whenEnded = []
    }

    /// Ends it, once it has read what there is, or at `deadline`.
    func stop(by deadline: Instant, _ then: @escaping () -> Void) {
        guard let pid else { return loop.soon(then) }
        let unread = (stdout?.descriptor.bytesReadable ?? 0) + (stderr?.descriptor.bytesReadable ?? 0)
        if unread > 0 && Instant.now < deadline {
            loop.after(Self.glance) { [self] in stop(by: deadline, then) }
            return
        }
        try? Process.signal(SIGTERM, to: pid)
        let timer = loop.after(Self.patience) { try? Process.signal(SIGKILL, to: pid) }
        whenEnded.append { [loop] in
            loop.cancel(timer)
            then()
        }
    }
}
