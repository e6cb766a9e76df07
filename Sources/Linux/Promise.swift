import CLinux
import Glibc
import Synchronization

/// A value that one thread gives and another one waits for.
package final class Promise<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let given: Descriptor

    package init() throws(SystemError) {
        given = Descriptor(owning: try retrying("eventfd") { eventfd(0, Int32(EFD_CLOEXEC)) })
    }

    /// The first value counts.
    package func keep(_ new: Value) {
        let isFirst = value.withLock { value in
            let isFirst = value == nil
            if isFirst { value = new }
            return isFirst
        }
        if isFirst { eventfd_write(given.rawValue, 1) }
    }

    /// Blocks until there is a value. For one thread.
    package func wait() -> Value {
        while true {
            if let value = value.withLock({ $0 }) { return value }
            var count: eventfd_t = 0
            eventfd_read(given.rawValue, &count)
        }
    }
}
