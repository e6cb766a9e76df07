import Glibc
import Linux
import StatusAPI

/// Control groups, disk and swap.
struct ResourceChecks {
    let host: Host

    func run() -> [Finding] { [cgroups, disk, encryption, swap] }

    private var cgroups: Finding {
        // CGROUP2_SUPER_MAGIC of <linux/magic.h>.
        if Files.fileSystemMagic(at: host.path("/sys/fs/cgroup")) == 0x6367_7270 {
            return .good("cgroups", "version 2")
        }
        guard host.exists("/sys/fs/cgroup/memory") || host.exists("/sys/fs/cgroup/systemd") else {
            return .missing("cgroups", "not mounted at /sys/fs/cgroup", "mount cgroup2 there")
        }
        return .good("cgroups", "version 1")
    }

    /// Where images are, or will be.
    private var directory: String { ["/var/lib/zeropod", "/var/lib", "/"].first(where: host.exists) ?? "/" }

    /// Images are as large as the memory of what sleeps.
    private var disk: Finding {
        var status = statvfs()
        guard statvfs(host.path(directory), &status) == 0 else {
            return .limited("disk", "\(SystemError.last("statvfs", directory))", "look at \(directory)")
        }
        let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        let detail = "\(InWords.size(free)) free for images in \(directory)"
        return free < 1 << 30
            ? .limited("disk", detail, "a container whose image does not fit stays awake") : .good("disk", detail)
    }

    /// Encrypts a directory, and removes it.
    private var encryption: Finding {
        do throws(SystemError) {
            let trial = try Files.makeTemporaryDirectory(prefix: host.path("\(directory)/zeropod-check."))
            defer { try? Files.removeTree(trial) }
            try DirectoryKey.make(for: trial)
            let key = try DirectoryKey(of: trial)
            defer {
                try? Files.removeTree(trial)
                try? key?.forget(at: host.path(directory))
            }
            try Files.create("\(trial)/file", with: "content")
            return .good("encryption", "images can be encrypted in \(directory): encrypt-images")
        } catch {
            return .limited(
                "encryption", "with encrypt-images = on containers are frozen: \(error)", DirectoryKey.remedy)
        }
    }

    private var swap: Finding {
        let text = (try? Files.readText("/proc/swaps")) ?? ""
        return text.split(separator: "\n").count > 1
            ? .good("swap", "there is some: what criu cannot dump can be frozen and paged out")
            : .limited("swap", "none", "what criu cannot dump (io_uring, …) keeps its memory while it sleeps")
    }
}
