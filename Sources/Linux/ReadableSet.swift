import CLinux
import Glibc

/// Descriptors that are watched for something to read, together: one descriptor that is readable itself as long as there is
/// something new on any of them.
package struct ReadableSet: ~Copyable, Sendable {
    /// For a loop to watch.
    package let descriptor: Descriptor

    /// epoll_create1(2).
    package init() throws(SystemError) {
        descriptor = Descriptor(owning: try retrying("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    }

    /// The caller goes on owning it.
    package func add(_ number: Int32) throws(SystemError) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | 1 << 31  // EPOLLET: told once, until there is more.
        event.data.fd = number
        try retrying("epoll_ctl", "descriptor \(number)") {
            epoll_ctl(descriptor.rawValue, EPOLL_CTL_ADD, number, &event)
        }
    }

    /// Those on which there is something that was not there when this was last asked. The first answer has all on which
    /// there is anything.
    package func take() throws(SystemError) -> [Int32] {
        var (all, events) = ([Int32](), [epoll_event](repeating: epoll_event(), count: 64))
        var count = events.count
        while count == events.count {
            count = Int(
                try retrying("epoll_wait") {
                    epoll_wait(descriptor.rawValue, &events, Int32(events.count), 0)
                })
            all += events[..<count].map(\.data.fd)
        }
        return all
    }
}
