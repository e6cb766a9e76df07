import Glibc

extension Process {
    /// A socket in a process's table of descriptors.
    package struct HeldSocket: Sendable {
        package let pid: pid_t
        package let number: Int32
        package let inode: UInt64
    }

    /// The sockets that a process holds. One that ends meanwhile holds none.
    package static func sockets(of pid: pid_t) -> [HeldSocket] {
        let directory = "/proc/\(pid)/fd"
        return ((try? Files.names(in: directory)) ?? []).compactMap { name in
            guard let number = Int32(name), let target = try? Files.target(ofLink: "\(directory)/\(name)"),
                target.hasPrefix("socket:["), let inode = UInt64(target.dropFirst("socket:[".count).dropLast())
            else { return nil }
            return HeldSocket(pid: pid, number: number, inode: inode)
        }
    }

    /// The sockets of several processes, each once.
    package static func sockets(of pids: [pid_t]) -> [UInt64: HeldSocket] {
        var held: [UInt64: HeldSocket] = [:]
        for pid in pids {
            for socket in sockets(of: pid) { held[socket.inode] = socket }
        }
        return held
    }

    /// A descriptor of our own for the same socket (pidfd_getfd(2), Linux 5.6), close-on-exec. ESRCH, EBADF and ESTALE
    /// mean that the process has ended or closed it meanwhile.
    package static func copy(_ socket: HeldSocket) throws(SystemError) -> Descriptor {
        let copy = try DescriptorTable(of: socket.pid).copy(socket.number)
        var status = stat()
        try retrying("fstat") { fstat(copy.rawValue, &status) }
        if UInt64(status.st_ino) != socket.inode { throw SystemError("pidfd_getfd", "\(socket.pid)", code: ESTALE) }
        return copy
    }
}
