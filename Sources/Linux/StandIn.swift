import CLinux
import Glibc

/// Starting a program later than taking its place.
extension Children {
    /// As `start`, but a stand-in (`standin/`) takes the command's namespaces and cgroups, and becomes the program when
    /// a byte comes from the command's descriptor `awaited`, which the program does not get; at once if that is nil. It
    /// ends with 127 if it can do neither, or if the other end is closed instead.
    ///
    /// - Parameter placed: it has no further use for this descriptor than to close it when it has taken its place.
    package func startStandIn(
        for command: Command, awaiting awaited: Int32?, placed: Int32? = nil,
        _ handler: @escaping (ExitStatus) -> Void
    ) throws(SystemError) -> pid_t {
        let file = Descriptor(owning: try checking("memfd_create", "the stand-in", zp_stand_in()))
        let first = (command.descriptors.keys.max() ?? STDERR_FILENO) + 1
        let place = command.cgroups + command.namespaces
        let handed = place + [file.rawValue] + (placed.map { [$0] } ?? [])
        let numbers = [awaited ?? 0, first, Int32(command.cgroups.count), Int32(command.namespaces.count)]

        var standIn = command
        standIn.path = "/proc/self/fd/\(first + Int32(place.count))"
        standIn.name = "zeropod-stand-in"
        standIn.arguments = numbers.map { "\($0)" } + [command.path] + command.arguments
        for (index, descriptor) in handed.enumerated() { standIn.descriptors[first + Int32(index)] = descriptor }
        standIn.cgroups = []
        standIn.namespaces = []
        return try start(standIn, handler)
    }
}
