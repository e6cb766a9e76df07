import Glibc

/// A process that does nothing and has no memory of its own. It ends with this object.
package final class Placeholder: Sendable {
    package let pid: pid_t
    /// What it waits at: it ends when the other end is closed.
    private let socket: Descriptor
    /// The read end of a pipe whose other end it closes as soon as it is where it belongs.
    private let placed: Descriptor

    /// - Parameter cgroups: open `cgroup.procs` files of where it shall be; without any it stays where this process is.
    package init(_ children: Children, in cgroups: [SharedDescriptor] = []) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try retrying("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        socket = Descriptor(owning: ends[0])
        let theirs = Descriptor(owning: ends[1])
        let pipe = try SharedPipe()
        placed = try pipe.read.descriptor.duplicate()
        // The program is never run.
        var command = Command("/proc/self/exe")
        let number: Int32 = 3
        command.descriptors[number] = theirs.rawValue
        command.cgroups = cgroups.map { $0.descriptor.rawValue }
        pid = try children.startStandIn(
            for: command, awaiting: number, placed: pipe.write.descriptor.rawValue
        ) { _ in }
        withExtendedLifetime((cgroups, pipe)) {}
    }

    /// Waits until the process is in its cgroups: the kernel takes an RCU grace period (10 to 15 ms) for a move. Not for
    /// the loop's thread.
    package func awaitPlace() throws(SystemError) {
        while try placed.read(atMost: 1)?.isEmpty != true {}
        // At its end the kernel closes its sockets as well, and nothing is ever written to this one.
        if try socket.isReadable(before: .now) {
            throw SystemError("move", "placeholder \(pid) into the container's cgroups", code: ESRCH)
        }
    }
}
