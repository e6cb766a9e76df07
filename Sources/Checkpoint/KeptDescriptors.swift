import CLinux
import Glibc
import Linux
import Synchronization

/// What the processes of a sleeping container had open: a copy of each open file description, and of what was mapped,
/// run, and used as a directory. After the wake each is the kernel object that it was.
///
/// CRIU names in its images where each is to be found while the processes stand still (image/criu-changes/kept.c); the
/// copies are taken there, and the restored processes take them out of this process's descriptor table by number. So none
/// of it is opened by its path again, and what others do to files meanwhile does not matter.
package final class KeptDescriptors: Sendable {
    private let numbers: Mutex<[Int32]>
    /// Descriptors on which something may come for the container: sockets, and named pipes.
    package let endpoints: [Int32]

    /// - Parameter directory: of complete images. They name numbers of this process afterwards.
    init(takenFrom directory: String) throws(CheckpointError) {
        var taking = Taking()
        do throws(CheckpointError) {
            try ImageFile.replaceNames(in: "\(directory)/files.img") { name, flags throws(CheckpointError) in
                try taking.newName(name, flags)
            }
        } catch {
            for number in taking.numbers { Glibc.close(number) }
            throw error
        }
        numbers = Mutex(taking.numbers)
        endpoints = taking.endpoints
    }

    deinit { close() }

    /// How many there are.
    package var count: Int { numbers.withLock { $0.count } }

    /// The timers among them, as they are now.
    func timers(_ clock: SleepClock) throws(SystemError) -> TimerDescriptors {
        try TimerDescriptors(among: numbers.withLock { $0 }, clock)
    }

    /// Lets go of them: the processes have them again, or nobody ever will. A connection only ends with its last copy, so
    /// this comes before the processes go on. May be called again.
    package func close() {
        for number in numbers.withLock({ numbers in
            defer { numbers = [] }
            return numbers
        }) {
            Glibc.close(number)
        }
    }

    private struct Taking: ~Copyable {
        var numbers: [Int32] = []
        var endpoints: [Int32] = []
        /// The process that was last copied from: CRIU goes through one after the other.
        private var last: SharedTable?

        private final class SharedTable {
            let pid: pid_t
            let table: Process.DescriptorTable

            init(_ pid: pid_t) throws(SystemError) {
                self.pid = pid
                table = try Process.DescriptorTable(of: pid)
            }
        }

        /// - Parameters:
        ///   - name: `//kept/PID/…`: what is found at `/proc/PID/…`. Else the path of a file that CRIU opens again.
        ///   - flags: as of open(2).
        /// - Returns: `//kept/N`; nil if the path stays.
        mutating func newName(_ name: String, _ flags: Int32) throws(CheckpointError) -> String? {
            let parts = name.split(separator: "/", maxSplits: 3)
            // No path of the kernel has two slashes, so a /proc that a container has mounted on /kept is not mistaken for it.
            guard name.hasPrefix("//kept/"), parts.count == 4 || parts.count == 3, let pid = pid_t(parts[1]) else {
                // Files of the container's own /proc belong to processes, and are made anew with them.
                if name.hasPrefix("/proc/") { return nil }
                throw .lossy(
                    reason: "this criu would open \(name) by its path at the wake, where it may be another file by "
                        + "then: install the criu that comes with zeropod")
            }
            do throws(SystemError) {
                if parts.count == 4, parts[2] == "fd", let number = Int32(parts[3]) {
                    try keep(try copy(number, of: pid))
                } else {
                    let place = parts[2...].joined(separator: "/")
                    try keep(try Descriptor.open("/proc/\(pid)/\(place)", flags & O_ACCMODE | O_NOCTTY))
                }
            } catch {
                throw .system(error)
            }
            return "//kept/\(numbers[numbers.count - 1])"
        }

        private mutating func copy(_ number: Int32, of pid: pid_t) throws(SystemError) -> Descriptor {
            if let last, last.pid == pid { return try last.table.copy(number) }
            let new = try SharedTable(pid)
            last = new
            return try new.table.copy(number)
        }

        private mutating func keep(_ descriptor: consuming Descriptor) throws(SystemError) {
            let kind = try descriptor.status().st_mode & S_IFMT
            let isPipe = kind == S_IFIFO
            let isNamedPipe = isPipe ? try Files.fileSystemMagic(of: descriptor) != Self.pipeFileSystem : false
            let number = descriptor.release()
            numbers.append(number)
            if kind == S_IFSOCK || isNamedPipe { endpoints.append(number) }
        }

        /// PIPEFS_MAGIC of <linux/magic.h>.
        private static let pipeFileSystem: UInt64 = 0x5049_5045
    }
}
