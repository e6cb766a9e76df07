import CLinux
import Glibc
import Linux
import Synchronization

/// Locks of the POSIX kind (fcntl(2), F_SETLK), which belong to processes and go with them. Those for reading the shim holds
/// meanwhile by locks of its own (F_OFD_SETLK), from before the processes end until CRIU has taken them for the restored
/// ones: many may have them at a time, so there is no gap. A lock for writing has one owner, and would be free for a moment
/// twice; a container with one is not checkpointed.
///
/// Locks of descriptors (flock, F_OFD_SETLK) need nothing: the descriptors are kept, and with them the locks.
final class RecordLocks: Sendable {
    private let files: Mutex<[SharedDescriptor]>

    /// Numbers of criu/include/file-lock.h.
    private static let posix: UInt64 = 1

    /// Reads the locks in the images (`file_lock_entry` of CRIU's images/file-lock.proto). Only those of processes stay
    /// in them. The processes stand still, and still have their locks.
    ///
    /// - Parameter pids: of the container's processes.
    init(takenFrom directory: String, of pids: [pid_t]) throws(CheckpointError) {
        let path = "\(directory)/filelocks.img"
        var files: [SharedDescriptor] = []
        if Files.exists(path) {
            let numbers = Self.outerNumbers(of: pids)
            try ImageFile.edit(path) { entry throws(CheckpointError) in
                guard entry.number(1) == Self.posix else { return nil }
                guard let inner = entry.number(3), let number = entry.number(4), let kind = entry.number(2),
                    let pid = numbers[pid_t(truncatingIfNeeded: inner)]
                else { throw .badImage(path: path) }
                guard kind == UInt64(F_RDLCK) else {
                    throw .lossy(
                        reason: "process \(inner) has a lock for writing (fcntl), which would be free for a moment")
                }
                var range = flock()
                range.l_type = Int16(F_RDLCK)
                range.l_start = off_t(truncatingIfNeeded: entry.number(5) ?? 0)
                range.l_len = off_t(truncatingIfNeeded: entry.number(6) ?? 0)
                do throws(SystemError) {
                    // A description of our own, with which the lock ends. A named pipe can be locked as well, and to open
                    // it would wait for a writer.
                    let file = try Descriptor.open(
                        "/proc/\(pid)/fd/\(number)", O_RDONLY | O_NONBLOCK | O_NOCTTY)
                    try checking("fcntl(F_OFD_SETLK)", "descriptor \(number)", zp_ofd_setlk(file.rawValue, &range))
                    files.append(SharedDescriptor(file))
                } catch {
                    throw .system(error)
                }
                return false
            }
        }
        self.files = Mutex(files)
    }

    /// The processes have them again. May be called again.
    func release() { files.withLock { $0 = [] } }

    private static func outerNumbers(of pids: [pid_t]) -> [pid_t: pid_t] {
        var numbers: [pid_t: pid_t] = [:]
        for pid in pids {
            let line = (try? Process.statusField("NSpid", of: pid)) ?? ""
            if let inner = line.split(separator: "\t").last.flatMap({ pid_t($0) }) { numbers[inner] = pid }
        }
        return numbers
    }
}
