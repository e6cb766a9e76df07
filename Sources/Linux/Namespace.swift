import Glibc

/// A kernel namespace, held open. It lives as long as this does, even when no process is in it any more.
package struct Namespace: ~Copyable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case mount = "mnt"
        case ipc
        case uts
        case network = "net"
        case pid
        case cgroup
        case user
        case time
    }

    package let kind: Kind
    package let descriptor: Descriptor

    /// The namespace of a process.
    package init(_ kind: Kind, of pid: pid_t) throws(SystemError) {
        try self.init(kind, path: "/proc/\(pid)/ns/\(kind.rawValue)")
    }

    /// The namespace that a file stands for, such as a CNI plugin's `/run/netns/NAME`.
    package init(_ kind: Kind, path: String) throws(SystemError) {
        self.kind = kind
        descriptor = try Descriptor.open(path)
    }

    /// The namespace of the calling thread.
    package static func own(_ kind: Kind) throws(SystemError) -> Namespace {
        try Namespace(kind, path: "/proc/thread-self/ns/\(kind.rawValue)")
    }

    /// The same namespace, held once more.
    package func duplicate() throws(SystemError) -> Namespace {
        try Namespace(kind, path: descriptor.path)
    }

    /// The number in `kind:[number]`, which tells namespaces of one kind apart.
    package var inode: UInt64 {
        var status = stat()
        return fstat(descriptor.rawValue, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// setns(2) for the calling thread alone.
    package func enter() throws(SystemError) {
        try retrying("setns(\(kind.rawValue) namespace)") { setns(descriptor.rawValue, 0) }
    }

    /// Runs `body` with the calling thread in this namespace and comes back. For network namespaces: a socket belongs
    /// for ever to the namespace it was made in.
    ///
    /// A thread that cannot come back must not go on; the process ends.
    package func inside<Result: ~Copyable>(
        _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let home = try Namespace.own(kind)
        try enter()
        defer {
            do { try home.enter() } catch {
                Process.abort("cannot return to the own \(kind.rawValue) namespace: \(error)")
            }
        }
        return try body()
    }
}
