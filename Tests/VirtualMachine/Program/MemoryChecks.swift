import Glibc
import Linux

/// Want of memory as version 2 of control groups tells it. On machines whose controllers are version 1's it cannot be
/// tried.
enum MemoryChecks {
    static func run(_ checks: Checks) throws {
        let root = "/sys/fs/cgroup"
        let directory = "\(root)/small"
        try Files.write("+memory", to: "\(root)/cgroup.subtree_control")
        try Files.makeDirectories(directory)
        try Files.write("\(20 << 20)", to: "\(directory)/memory.max")
        let loop = try EventLoop()
        var told = 0
        var hasWaited = false
        let watch = try OutOfMemoryWatch(of: Cgroup(directories: ["": directory]), loop: loop) { told += 1 }
        checks.expect("a group is watched", watch != nil)

        let script = """
            echo $$ >\(directory)/cgroup.procs
            exec /bin/busybox dd if=/dev/zero of=/dev/null bs=64M count=1
            """
        let pid = try Command("/bin/busybox", ["sh", "-c", script]).spawn()
        loop.after(.seconds(60)) { hasWaited = true }
        try loop.run(until: { told > 0 || hasWaited })
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        checks.expect("a process that wants too much is killed", status & 0x7f == SIGKILL, "\(status)")
        watch?.look()
        checks.expect("and told of once", told == 1, "\(told)")
        try Files.removeEmptyDirectory(directory)
    }
}
