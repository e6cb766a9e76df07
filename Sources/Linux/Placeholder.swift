import Glibc

/// A process that does nothing and has no memory of its own. It ends with this object.
package final class Placeholder {
    package let pid: pid_t
    /// What it waits at: it ends when the other end is closed.
    private let socket: Descriptor

    package init(_ children: Children) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try retrying("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        socket = Descriptor(owning: ends[0])
        let theirs = Descriptor(owning: ends[1])
        // The program is never run.
        var command = Command("/proc/self/exe")
        let number: Int32 = 3
        command.descriptors[number] = theirs.rawValue
        pid = try children.startStandIn(for: command, awaiting: number) { _ in }
    }
}
