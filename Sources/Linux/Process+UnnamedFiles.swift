import Glibc

extension Process {
    /// Bytes of files without a name that these processes have open or mapped and that are memory: memfd_create(2), and
    /// what is shared without a file. They are in the images of a checkpoint; other files, deleted ones too, are kept.
    package static func unnamedBytes(of pids: [pid_t]) -> UInt64 {
        var sizes: [FileID: UInt64] = [:]
        for pid in pids {
            addOpen(of: pid, to: &sizes)
            addMapped(of: pid, to: &sizes)
        }
        return sizes.values.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
    }

    private struct FileID: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// memfd_create(2), and memory that is shared without a file. Other files are kept, whether they have names or not.
    private static func isMemory(_ target: String) -> Bool {
        target.hasPrefix("/memfd:") || target == "/dev/zero (deleted)"
    }

    private static func addOpen(of pid: pid_t, to sizes: inout [FileID: UInt64]) {
        let directory = "/proc/\(pid)/fd"
        for name in (try? Files.names(in: directory)) ?? [] {
            let path = "\(directory)/\(name)"
            guard let target = try? Files.target(ofLink: path), isMemory(target) else { continue }
            add(path, to: &sizes)
        }
    }

    /// Those that are mapped and closed.
    private static func addMapped(of pid: pid_t, to sizes: inout [FileID: UInt64]) {
        for line in ((try? Files.readText("/proc/\(pid)/maps")) ?? "").split(separator: "\n") {
            // The sixth field of a line is the name.
            let name = line.split(separator: " ", maxSplits: 5).last?.drop { $0 == " " } ?? ""
            if !isMemory(String(name)) { continue }
            add("/proc/\(pid)/map_files/\(line.prefix { $0 != " " })", to: &sizes)
        }
    }

    private static func add(_ path: String, to sizes: inout [FileID: UInt64]) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        sizes[FileID(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))] = UInt64(status.st_blocks) * 512
    }
}
