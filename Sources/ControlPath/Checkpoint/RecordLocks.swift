import CLinux
import Glibc
import Linux

/// Locks of the POSIX kind (fcntl(2), F_SETLK), which belong to processes and go with them. While those are away the shim
/// holds the same ranges by locks of its own (F_OFD_SETLK); at the wake CRIU takes them for the processes again.
///
/// Locks of descriptors (flock, F_OFD_SETLK) need nothing: the descriptors are kept, and with them the locks.
struct RecordLocks: Sendable {
    private struct Lock: Sendable {
        let file: SharedDescriptor
        let range: flock
    }

    private let locks: [Lock]

    /// Numbers of criu/include/file-lock.h.
    private static let posix: UInt64 = 1

    /// What the images say of locks (`file_lock_entry` of CRIU's images/file-lock.proto). Only those of processes stay in
    /// them. The processes stand still, and still have their locks.
    ///
    /// - Parameter pids: of the container's processes.
    init(takenFrom directory: String, of pids: [pid_t]) throws(CheckpointError) {
        let path = "\(directory)/filelocks.img"
        var locks: [Lock] = []
        if Files.exists(path) {
            let numbers = Self.outerNumbers(of: pids)
            try ImageFile.edit(path) { entry throws(CheckpointError) in
                guard entry.number(1) == Self.posix else { return nil }
                guard let inner = entry.number(3), let number = entry.number(4), let kind = entry.number(2),
                    let pid = numbers[pid_t(truncatingIfNeeded: inner)]
                else { throw .badImage(path: path) }
                var range = flock()
                range.l_type = Int16(truncatingIfNeeded: kind)
                range.l_start = off_t(truncatingIfNeeded: entry.number(5) ?? 0)
                range.l_len = off_t(truncatingIfNeeded: entry.number(6) ?? 0)
                do throws(SystemError) {
                    // A description of our own: that of the process may have locks of its own kind.
                    let flags = kind == UInt64(F_RDLCK) ? O_RDONLY : O_RDWR
                    let file = try Descriptor.open("/proc/\(pid)/fd/\(number)", flags)
                    locks.append(Lock(file: SharedDescriptor(file), range: range))
                } catch {
                    throw .system(error)
                }
                return false
            }
        }
        self.locks = locks
        for lock in locks where try Self.isAwaited(lock.file.descriptor) {
            throw .lossy(
                reason: "another process waits for a lock that the container has (fcntl), and would get it while the "
                    + "container sleeps")
        }
        // Those for reading can be had beside the processes' own.
        take()
    }

    /// Takes what can be taken. Again when the processes have ended, for what they had for writing.
    func take() { for lock in locks { set(lock, lock.range.l_type) } }

    /// Lets the processes have them again.
    func release() { for lock in locks { set(lock, Int16(F_UNLCK)) } }

    private func set(_ lock: Lock, _ type: Int16) {
        var range = lock.range
        range.l_type = type
        // One that somebody else has taken in between has to be waited for at the wake.
        _ = zp_ofd_setlk(lock.file.descriptor.rawValue, &range)
    }

    private static func outerNumbers(of pids: [pid_t]) -> [pid_t: pid_t] {
        var numbers: [pid_t: pid_t] = [:]
        for pid in pids {
            let line = (try? Process.statusField("NSpid", of: pid)) ?? ""
            if let inner = line.split(separator: "\t").last.flatMap({ pid_t($0) }) { numbers[inner] = pid }
        }
        return numbers
    }

    /// A line `N: -> POSIX … MAJOR:MINOR:INODE …` of /proc/locks (proc(5)).
    private static func isAwaited(_ file: borrowing Descriptor) throws(CheckpointError) -> Bool {
        do throws(SystemError) {
            let inode = try file.status().st_ino
            return try Files.readText("/proc/locks").split(separator: "\n").contains { line in
                let words = line.split(separator: " ")
                return words.contains("->") && words.contains { $0.hasSuffix(":\(inode)") && $0.count > 1 }
            }
        } catch {
            throw .system(error)
        }
    }
}
