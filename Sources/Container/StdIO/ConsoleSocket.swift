import CLinux
import Glibc
import Linux

/// Where runc sends the master end of a terminal that it made in the container (runc's docs/terminals.md).
final class ConsoleSocket {
    let path: String
    private let loop: EventLoop
    private let listener: Descriptor
    private var connection: SharedDescriptor?
    private let received: (SharedDescriptor) -> Void
    private let report: (String) -> Void

    /// - Parameter directory: short: a socket's path has at most 107 bytes. Made if it is missing.
    init(
        in directory: String, loop: EventLoop, report: @escaping (String) -> Void,
        received: @escaping (SharedDescriptor) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.received = received
        self.report = report
        try Files.makeDirectories(directory, mode: 0o700)
        // One thread makes them all, so no two have one time.
        path = "\(directory)/console-\(getpid())-\(String(Instant.now.nanoseconds, radix: 36)).sock"
        listener = try UnixSocket.listen(path, backlog: 1)
        try loop.watch(listener, .readable) { [unowned self] _ in accept() }
    }

    deinit {
        close()
    }

    private func close() {
        if let connection { loop.unwatch(connection.descriptor.rawValue) }
        loop.unwatch(listener.rawValue)
        try? Files.remove(path)
    }

    /// Takes what is there already. When runc has ended, that is all there will be.
    func collect() {
        if connection == nil { accept() }
        if let connection { receive(connection) }
    }

    private func accept() {
        do throws(SystemError) {
            guard connection == nil, let accepted = try UnixSocket.accept(listener) else { return }
            let connection = SharedDescriptor(accepted)
            self.connection = connection
            try loop.watch(connection.descriptor, .readable) { [unowned self] _ in receive(connection) }
        } catch {
            report("console socket: \(error)")
        }
    }

    private func receive(_ connection: SharedDescriptor) {
        do throws(SystemError) {
            let number = zp_receive_descriptor(connection.descriptor.rawValue)
            if number == -EAGAIN { return }
            loop.unwatch(connection.descriptor.rawValue)
            received(SharedDescriptor(Descriptor(owning: try checking("recvmsg", "console socket", number))))
        } catch {
            report("console socket: \(error)")
        }
    }
}
