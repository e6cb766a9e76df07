import Glibc
import Linux

/// Lets so many containers of the node be restored at the same time, those of all shims together, in the order in which
/// they were called for. Others wait, and their connections with them.
///
/// All sleepers of a node can be called at once: by a scan, or by a client that comes back. What their processes take in
/// time and memory was promised to others meanwhile.
///
/// Each has a ticket: a file whose name says since when it waits and how much memory comes back, locked by its shim. It
/// may go on when few enough tickets are before it. A shim that dies lets go of its lock, and the next one that looks
/// removes the file.
final class WakeGate {
    private let directory: String
    private let limit: Int
    private let loop: EventLoop
    private var tickets: [String: Ticket] = [:]
    private var watch: DirectoryWatch?
    private var lastNumber = 0

    private struct Ticket {
        let name: String
        let lock: SharedDescriptor
        /// Bytes that the control groups above its own leave to it now.
        let room: () -> UInt64
        /// nil: it may go on.
        var admitted: (() -> Void)?
    }

    /// - Parameter limit: 0: twice as many as there are processors, and four at least.
    init(_ directory: String, atOnce limit: Int, loop: EventLoop) {
        self.directory = directory
        self.loop = loop
        self.limit = limit > 0 ? limit : max(4, 2 * sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    func isWaiting(_ container: String) -> Bool { tickets[container]?.admitted != nil }

    /// - Parameters:
    ///   - memory: bytes that its processes will have.
    ///   - room: how many the control groups above its own leave to it, asked whenever its turn may have come.
    ///   - then: Called once it may go on, at once if it may now. Not called after `leave`.
    func enter(
        _ container: String, memory: UInt64, room: @escaping () -> UInt64 = { .max }, then: @escaping () -> Void
    ) throws(SystemError) {
        leave(container)
        try Files.makeDirectories(directory, mode: 0o700)
        do {
            let lock = try FileLock.acquire(directory: directory)
            defer { FileLock.release(lock) }
            tickets[container] = try draw(memory: memory, room, then)
        }
        look()
        if watch != nil || !hasWaiting { return }
        watch = try DirectoryWatch(directory, loop: loop, closing: true) { [unowned self] in look() }
        // What went between the look and the watch.
        look()
    }

    private var hasWaiting: Bool { tickets.values.contains { $0.admitted != nil } }

    /// The container is restored, or is not to be any more.
    func leave(_ container: String) {
        guard let ticket = tickets.removeValue(forKey: container) else { return }
        try? Files.remove("\(directory)/\(ticket.name)")
        // The watch must not be ended from within its own event.
        if watch != nil { loop.soon { [weak self] in self?.look() } }
    }

    private func draw(
        memory: UInt64, _ room: @escaping () -> UInt64, _ then: @escaping () -> Void
    ) throws(SystemError) -> Ticket {
        lastNumber += 1
        let time = String(Instant.now.nanoseconds)
        let padded = String(repeating: "0", count: max(0, 20 - time.count)) + time
        let name = "\(padded)-\(memory)-\(getpid())-\(lastNumber)"
        let file = try Descriptor.open("\(directory)/\(name)", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
        let number = file.rawValue
        try retrying("flock", name) { flock(number, LOCK_EX | LOCK_NB) }
        return Ticket(name: name, lock: SharedDescriptor(file), room: room, admitted: then)
    }

    /// Lets those go on whose turn it is.
    private func look() {
        do throws(SystemError) {
            while hasWaiting, let container = try next() {
                let admitted = tickets[container]?.admitted
                tickets[container]?.admitted = nil
                admitted?()
            }
        } catch {
            // Connections must be answered: without order rather than not at all.
            for container in tickets.keys {
                let admitted = tickets[container]?.admitted
                tickets[container]?.admitted = nil
                admitted?()
            }
        }
        if !hasWaiting { watch = nil }
    }

    /// A container whose turn it is; nil if none of ours may go on now.
    private func next() throws(SystemError) -> String? {
        let lock = try FileLock.acquire(directory: directory)
        defer { FileLock.release(lock) }
        var names = try Files.names(in: directory).sorted()
        var place = 0
        // Only those in front matter, and only they are looked at.
        while place < min(limit, names.count) {
            if isAlive(names[place]) {
                place += 1
            } else {
                try Files.remove("\(directory)/\(names.remove(at: place))")
            }
        }
        var room = Memory.available
        for (index, name) in names.prefix(limit).enumerated() {
            let memory = Self.memory(of: name)
            // The first one goes on however large it is, or nobody ever would.
            if index > 0 && memory > room { return nil }
            room -= min(room, memory)
            guard let own = tickets.first(where: { $0.value.name == name }), own.value.admitted != nil else { continue }
            return index > 0 && memory > own.value.room() ? nil : own.key
        }
        return nil
    }

    private func isAlive(_ name: String) -> Bool {
        if tickets.values.contains(where: { $0.name == name }) { return true }
        guard let file = try? Descriptor.open("\(directory)/\(name)", O_RDONLY | O_NOFOLLOW) else { return false }
        return flock(file.rawValue, LOCK_SH | LOCK_NB) != 0
    }

    private static func memory(of name: String) -> UInt64 {
        let parts = name.split(separator: "-")
        return parts.count > 1 ? UInt64(parts[1]) ?? 0 : 0
    }
}
