import CLinux
import Glibc

/// Starting a program later than taking its place.
extension Children {
    /// As `start`, but a stand-in (`standin/`) takes the command's namespaces and cgroups, and becomes the program when
    /// a message waits on the command's descriptor `awaited`; at once if that is nil. It ends with 127 if it can do
    /// neither, or if the socket is closed instead.
    package func startStandIn(
        for command: Command, awaiting awaited: Int32?, _ handler: @escaping (ExitStatus) -> Void
    ) throws(SystemError) -> pid_t {
        let file = Descriptor(owning: try checking("memfd_create", "the stand-in", zp_stand_in()))
        let first = (command.descriptors.keys.max() ?? STDERR_FILENO) + 1
        let handed = command.cgroups + command.namespaces + [file.rawValue]
        let numbers = [awaited ?? 0, first, Int32(command.cgroups.count), Int32(command.namespaces.count)]

        var standIn = command
        standIn.path = "/proc/self/fd/\(first + Int32(handed.count) - 1)"
        standIn.name = "zeropod-stand-in"
        standIn.arguments = numbers.map { "\($0)" } + [command.path] + command.arguments
        for (index, descriptor) in handed.enumerated() { standIn.descriptors[first + Int32(index)] = descriptor }
        standIn.cgroups = []
        standIn.namespaces = []
        return try start(standIn, handler)
    }
}
