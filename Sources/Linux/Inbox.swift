import CLinux
import Glibc
import Synchronization

/// What other threads want done on the thread of a loop: messages in order, and a descriptor that is readable while there
/// are any.
package final class Inbox<Receiver>: Sendable {
    package typealias Message = @Sendable (Receiver) -> Void

    /// nil once closed.
    private let queue = Mutex<[Message]?>([])
    package let event: Descriptor

    package init() throws(SystemError) {
        event = Descriptor(
            owning: try retrying("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    /// Has `message` called on the loop's thread, soon, in the order of the calls.
    /// - Returns: false if the inbox is closed; then it will not be called.
    @discardableResult
    package func perform(_ message: @escaping Message) -> Bool {
        let isTaken = queue.withLock { messages in
            messages?.append(message)
            return messages != nil
        }
        if isTaken { eventfd_write(event.rawValue, 1) }
        return isTaken
    }

    /// Takes what has come.
    package func takeAll() -> [Message] {
        var count: eventfd_t = 0
        eventfd_read(event.rawValue, &count)
        return queue.withLock { messages in
            let taken = messages ?? []
            if messages != nil { messages = [] }
            return taken
        }
    }

    /// Takes what has come, and takes no more.
    package func close() -> [Message] {
        queue.withLock { messages in
            let taken = messages ?? []
            messages = nil
            return taken
        }
    }
}
