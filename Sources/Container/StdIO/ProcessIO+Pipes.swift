import Glibc
import Linux

/// Both read ends go to a logger.
struct LoggerPipes {
    let stdout: SharedDescriptor
    let stderr: SharedDescriptor
}

extension ProcessIO {
    typealias StartLogger = (LoggerURL, LoggerPipes) throws(SystemError) -> Logger

    /// What an output stream is written to.
    enum Sink {
        case descriptor(SharedDescriptor)
        case logger
    }

    func connectInput(_ path: String, _ owner: Owner) throws(SystemError) {
        let pipe = try makePipe(owner)
        input = try openInput(path, to: pipe.write) { [weak self] in self?.input = nil }
        held[0] = pipe.read
    }

    /// - Parameter whenEnded: not called when the process ended first.
    func openInput(
        _ path: String, to sink: SharedDescriptor, whenEnded: @escaping () -> Void
    ) throws(SystemError) -> StreamCopy {
        // Non-blocking: else open waits for a writer. Until there was one, epoll reports no end either.
        let fifo = SharedDescriptor(try Descriptor.open(path, O_RDONLY | O_NONBLOCK))
        guard fifo.descriptor.isPipe else { throw SystemError("stdin is no fifo", path, code: EINVAL) }
        inputKeeper = SharedDescriptor(try Descriptor.open(path, O_WRONLY | O_NONBLOCK))
        return try StreamCopy(
            from: fifo, to: sink, onSinkFailure: .ends, loop: loop, report: report,
            whenEnded: { [weak self] in
                if self?.input != nil { whenEnded() }
            })
    }

    func connectOutputs(
        _ targets: (stdout: OutputTarget, stderr: OutputTarget), _ owner: Owner, startLogger: StartLogger
    ) throws(SystemError) {
        if case .logger(let url) = targets.stdout {
            let (stdout, stderr) = (try makePipe(owner), try makePipe(owner))
            logger = try startLogger(url, LoggerPipes(stdout: stdout.read, stderr: stderr.read))
            (held[1], held[2]) = (stdout.write, stderr.write)
            return
        }
        let stdout = try open(targets.stdout)
        try connectOutput(1, to: stdout, owner)
        // One place for both is opened once, so that the two never overwrite one another.
        try connectOutput(2, to: targets.stderr == targets.stdout ? stdout : try open(targets.stderr), owner)
    }

    private func connectOutput(_ number: Int32, to sink: SharedDescriptor?, _ owner: Owner) throws(SystemError) {
        // Without a sink the process gets /dev/null.
        guard let sink else { return }
        let pipe = try makePipe(owner)
        try copyOutput(number, from: pipe.read, to: sink)
        held[number] = pipe.write
    }

    func copyOutput(_ number: Int32, from source: SharedDescriptor, to sink: SharedDescriptor?) throws(SystemError) {
        outputs[number] = try StreamCopy(
            from: source, to: sink, onSinkFailure: .discards, loop: loop, report: report,
            whenEnded: { [weak self] in self?.outputEnded() })
    }

    /// Nil for "nowhere".
    func open(_ target: OutputTarget) throws(SystemError) -> SharedDescriptor? {
        switch target {
        case .none: return nil
        case .path(let path):
            var status = stat()
            guard stat(path, &status) == 0 else { throw .last("stat", path) }
            // Open for reading too, a fifo stays whole while containerd is away, and so does what is in it.
            let flags = status.st_mode & S_IFMT == S_IFIFO ? O_RDWR : O_WRONLY | O_APPEND
            let sink = try Descriptor.open(path, flags | O_NONBLOCK | O_NOCTTY)
            if let destination = try Destination(sink) { destinations.append(destination) }
            return SharedDescriptor(sink)
        case .file(let path):
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try Files.makeDirectories(String(path[..<slash]))
            }
            return SharedDescriptor(try Descriptor.open(path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o644))
        case .logger(let url):
            // Only stdout may name one; then it takes stderr too.
            throw SystemError("logger for stderr alone", url.program, code: EINVAL)
        }
    }

    /// - Parameter owner: a pipe is one inode: it is the owner of both ends.
    func makePipe(_ owner: Owner = Owner()) throws(SystemError) -> SharedPipe {
        let pipe = try SharedPipe()
        if owner != Owner() { try pipe.read.descriptor.changeOwner(user: owner.user, group: owner.group) }
        return pipe
    }
}
