import CCRIU
import Glibc
import Linux
import Synchronization

/// A `criu swrk` process: CRIU serving one request over a socket.
///
/// It is started by us and not by libcriu, because it has to stand in the container's namespaces and cgroups, and
/// because nobody but `Children` may wait for a child. It stays in the mount namespace of the shim, where it finds
/// its libraries and the images.
package final class CRIUService: Sendable {
    /// libcriu's end of the socket.
    let socket: Descriptor
    /// The inode of criu's end, by which what it has forked can be told.
    private let peer: UInt64
    /// The process, until it has ended.
    package var pid: pid_t? { process.withLock { $0 } }
    private let process = Mutex<pid_t?>(nil)
    /// Told when the process has ended.
    let user = Mutex<CallUnderWay?>(nil)
    /// When a byte is written to this pipe, the stand-in becomes criu.
    private let place = Mutex<SharedDescriptor?>(nil)

    /// For a process that was started ahead: its call comes now, or soon. The process takes a millisecond to become
    /// criu and to be ready, in which the call can be prepared.
    func begin() {
        // One that has died meanwhile shows in the call.
        if let place = place.withLock({ $0.take() }) { _ = try? place.descriptor.write([0]) }
    }

    func kill() {
        if let pid { try? Process.signal(SIGKILL, to: pid) }
    }

    /// What is done ahead of a call.
    package enum Prestart: Sendable {
        /// A process of a few kilobytes takes criu's place: what takes long, as a move between cgroups waits for all
        /// processors (10 ms). It becomes criu at `begin`.
        case place
        /// criu itself waits (0.3 ms, and 0.1 MB of memory).
        case program
    }

    /// Descriptor numbers in the criu process: the socket, then what a restored process inherits.
    private static let socketNumber: Int32 = 3

    /// - Parameters:
    ///   - options: what libcriu has no function for.
    ///   - inherited: descriptors of this process; their numbers in the criu process are given by `inheritedNumber`.
    ///   - ahead: if the call comes only later, after `begin`, and what is made ready for it then. The process ends when
    ///     the service is dropped.
    static func start(
        _ criu: String, _ options: [String] = [], for kept: KeptContainer, cgroups: [Int32] = [],
        inherited: [Int32] = [], children: Children, ahead: Prestart? = nil
    ) throws(SystemError) -> CRIUService {
        var ends: [Int32] = [-1, -1]
        try retrying("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        let theirs = Descriptor(owning: ends[1])
        let service = CRIUService(
            socket: Descriptor(owning: ends[0]), peer: UInt64(try theirs.status().st_ino))
        var command = Command(criu, ["swrk", "\(socketNumber)"] + options, directory: "/")
        command.descriptors[socketNumber] = theirs.rawValue
        for (index, descriptor) in inherited.enumerated() {
            command.descriptors[inheritedNumber(index)] = descriptor
        }
        command.namespaces = kept.entered
        // image/criu-changes says what these do.
        command.environment.append("KEPT=1")
        // The processes that it makes have it then. In a user namespace of their own they join it themselves.
        if kept.users == nil {
            command.sessionKeyring = kept.keyring?.name
        } else if let keyring = kept.keyring {
            command.environment.append("KEPT_SESSION_NAME=\(keyring.name)")
        }
        let keyring = kept.keyring?.number ?? SessionKeyring.own
        command.environment.append("KEPT_SESSION_KEYRING=\(keyring)")
        command.cgroups = cgroups
        // CRIU takes 0 for what a process has anyway and does not set it: restored ones would have the shim's.
        command.neutralOutOfMemoryScore = true
        let ended: (ExitStatus) -> Void = { [weak service] status in
            guard let service else { return }
            service.process.withLock { $0 = nil }
            service.user.withLock { $0.take() }?.ended(service, status)
        }
        let pid =
            switch ahead {
            case nil: try children.start(command, ended)
            case .place: try service.takePlace(for: command, after: inherited.count, children, ended)
            case .program: try children.startStandIn(for: command, awaiting: nil, ended)
            }
        service.process.withLock { $0 = pid }
        return service
    }

    /// - Parameter count: of the descriptors that criu gets besides the socket.
    private func takePlace(
        for program: Command, after count: Int, _ children: Children, _ ended: @escaping (ExitStatus) -> Void
    ) throws(SystemError) -> pid_t {
        let pipe = try SharedPipe()
        var command = program
        let awaited = Self.inheritedNumber(count)
        command.descriptors[awaited] = pipe.read.descriptor.rawValue
        let pid = try withExtendedLifetime(pipe.read) { () throws(SystemError) in
            try children.startStandIn(for: command, awaiting: awaited, ended)
        }
        place.withLock { $0 = pipe.write }
        return pid
    }

    private init(socket: consuming Descriptor, peer: UInt64) {
        self.socket = socket
        self.peer = peer
    }

    /// Ends those that criu has forked and that are no processes of the container yet: they hold criu's end of the
    /// socket. When criu is killed they wait for it for ever, and so does the call, which would see the end of the file.
    func killForked(in cgroup: Cgroup) {
        // One that is just forking may add another; a dead one is not listed any more.
        for _ in 0..<Self.mostRounds {
            let forked = ((try? cgroup.processes()) ?? []).filter { pid in
                !Process.descriptors(of: pid, linkedTo: "socket:[\(peer)]").isEmpty
            }
            if forked.isEmpty { return }
            for pid in forked { try? Process.signal(SIGKILL, to: pid) }
        }
    }

    private static let mostRounds = 100

    static func inheritedNumber(_ index: Int) -> Int32 { socketNumber + 1 + Int32(index) }
}
