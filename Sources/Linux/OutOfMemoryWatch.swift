import CLinux
import Glibc

/// Tells when processes of a cgroup want more memory than it may have, and the kernel ends one of them. Until then it
/// costs nothing: the kernel wakes the loop, also for a cgroup without processes.
package final class OutOfMemoryWatch {
    private let loop: EventLoop
    private let file: String
    private let isUnified: Bool
    private let descriptor: Descriptor
    private let happened: () -> Void
    private var kills: UInt64 = 0
    private var isWatching = false

    /// Nil if the cgroup does not account for memory.
    package init?(of cgroup: Cgroup, loop: EventLoop, _ happened: @escaping () -> Void) throws(SystemError) {
        self.loop = loop
        self.happened = happened
        isUnified = cgroup.isUnified
        guard let directory = cgroup.directories[isUnified ? "" : "memory"] else { return nil }
        if isUnified {
            file = "\(directory)/memory.events"
            guard Files.exists(file) else { return nil }
            // Not inotify: its instances are few (128 a user by default) and there is one container for each.
            descriptor = try Descriptor.open(file)
            kills = try Self.kills(in: Self.text(of: descriptor))
        } else {
            file = "\(directory)/memory.oom_control"
            descriptor = try Self.notifications(of: file, in: directory)
        }
        // kernfs calls a change of a file an urgent event; it is always readable.
        try loop.watch(descriptor, isUnified ? .urgent : .readable) { [weak self] _ in self?.look() }
        isWatching = true
    }

    deinit { end() }

    /// Looks at once, for those who have heard of an end that may have this cause.
    package func look() {
        guard isWatching else { return }
        do throws(SystemError) {
            if try isNew() { happened() }
        } catch {
            // The cgroup has gone; its files would be ready for ever.
            end()
        }
    }

    package func end() {
        if isWatching { loop.unwatch(descriptor.rawValue) }
        isWatching = false
    }

    private func isNew() throws(SystemError) -> Bool {
        if isUnified {
            let before = kills
            kills = try Self.kills(in: Self.text(of: descriptor))
            return kills > before
        }
        var count: eventfd_t = 0
        guard eventfd_read(descriptor.rawValue, &count) == 0 else { return false }
        // The removal of a v1 cgroup is told in the same way.
        if !Files.exists(file) { throw SystemError("open", file, code: ENOENT) }
        return true
    }

    /// Registers for the notifications of v1 (Documentation/admin-guide/cgroup-v1/memory.rst, section 10).
    private static func notifications(of file: String, in directory: String) throws(SystemError) -> Descriptor {
        let control = try Descriptor.open(file)
        let event = Descriptor(owning: try retrying("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
        try Files.write("\(event.rawValue) \(control.rawValue)", to: "\(directory)/cgroup.event_control")
        return event
    }

    /// Reading from the beginning is also what makes kernfs wait for the next change.
    private static func text(of descriptor: borrowing Descriptor) throws(SystemError) -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let number = descriptor.rawValue
        let count = try retrying("pread", "memory.events") { pread(number, &bytes, bytes.count, 0) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    static func kills(in events: String) -> UInt64 {
        for line in events.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return line.split(separator: " ").last.flatMap { UInt64($0) } ?? 0
        }
        return 0
    }
}
