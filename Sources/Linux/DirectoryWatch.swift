import CLinux
import Glibc

/// Tells when entries of a directory come or go (inotify(7)). What came or went is for the caller to see by looking:
/// then nothing is missed when the kernel's queue overflows.
package final class DirectoryWatch {
    private let loop: EventLoop
    private let descriptor: Descriptor

    /// - Parameter closing: Told as well when a file that was open for writing is closed, as by a process that dies.
    package init(
        _ path: String, loop: EventLoop, closing: Bool = false, _ changed: @escaping () -> Void
    ) throws(SystemError) {
        self.loop = loop
        descriptor = Descriptor(
            owning: try retrying("inotify_init1") { inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK)) })
        let events = IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | (closing ? IN_CLOSE_WRITE : 0)
        try retrying("inotify_add_watch", path) {
            inotify_add_watch(descriptor.rawValue, path, UInt32(events))
        }
        let number = descriptor.rawValue
        try loop.watch(descriptor, .readable) { _ in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while Glibc.read(number, &buffer, buffer.count) > 0 {}
            changed()
        }
    }

    deinit {
        loop.unwatch(descriptor.rawValue)
    }
}
