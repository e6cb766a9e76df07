import CCRIU
import Glibc
import Linux

/// A `criu swrk` process: CRIU serving one request over a socket.
///
/// It is started by us and not by libcriu, because it has to stand in the container's namespaces and cgroups, and
/// because nobody but `Children` may wait for a child. It stays in the mount namespace of the shim, where it finds
/// its libraries and the images.
final class CRIUService: Sendable {
    /// libcriu's end of the socket.
    let socket: Descriptor

    /// Descriptor numbers in the criu process: the socket, then what a restored process inherits.
    private static let socketNumber: Int32 = 3

    /// - Parameters:
    ///   - inherited: descriptors of this process; their numbers in the criu process are given by `inheritedNumber`.
    ///   - ended: called on the loop when the process has ended.
    static func start(
        _ criu: String, namespaces: [Int32], cgroups: [Int32], inherited: [Int32], children: Children,
        ended: @escaping (ExitStatus) -> Void
    ) throws(SystemError) -> CRIUService {
        var ends: [Int32] = [-1, -1]
        try retrying("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        let service = CRIUService(socket: Descriptor(owning: ends[0]))
        let theirs = Descriptor(owning: ends[1])
        var command = Command(criu, ["swrk", "\(socketNumber)"], directory: "/")
        command.descriptors[socketNumber] = theirs.rawValue
        for (index, descriptor) in inherited.enumerated() {
            command.descriptors[inheritedNumber(index)] = descriptor
        }
        command.namespaces = namespaces
        command.cgroups = cgroups
        try children.start(command, ended)
        return service
    }

    private init(socket: consuming Descriptor) {
        self.socket = socket
    }

    static func inheritedNumber(_ index: Int) -> Int32 { socketNumber + 1 + Int32(index) }
}
