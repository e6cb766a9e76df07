import Glibc
import Linux

/// Clients stop reading as soon as they hear that a process has been deleted, whatever the fifo still holds (containerd's
/// own does). So the deletion waits until they have read it.
extension ProcessIO {
    /// A fifo that output goes to, without being one of its readers or writers.
    struct Destination {
        private let fifo: SharedDescriptor

        /// Nil for what is no fifo.
        init?(_ sink: borrowing Descriptor) throws(SystemError) {
            guard sink.isPipe else { return nil }
            fifo = SharedDescriptor(try sink.reopened(O_PATH))
        }

        /// Whether somebody reads it, and has not read everything.
        var hasUnread: Bool {
            // ENXIO: nobody has it open for reading, and what was in it is gone.
            guard let end = try? fifo.descriptor.reopened(O_WRONLY | O_NONBLOCK) else { return false }
            return end.bytesReadable > 0
        }
    }

    private static let glance = Instant.Span.milliseconds(2)

    /// Calls `then` when all that was delivered has been read, or nobody reads any more, or at `deadline`.
    func whenRead(by deadline: Instant, _ then: @escaping () -> Void) {
        // A pipe does not tell when it gets empty.
        guard destinations.contains(where: \.hasUnread), Instant.now < deadline else { return then() }
        loop.after(Self.glance) { [self] in whenRead(by: deadline, then) }
    }
}
