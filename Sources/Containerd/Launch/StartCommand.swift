import ContainerdAPI
import Glibc
import Linux
import Protobuf
import Runc
import Shim
import TaskService

/// The `start` action: makes the socket, leaves a serving process behind, and tells containerd where it listens.
package struct StartCommand {
    /// The listening socket, in the serving process.
    package static let listenerDescriptor: Int32 = 3

    private let caller: StartCaller

    /// Reads standard input.
    package init(_ invocation: Invocation) throws {
        caller = try StartCaller(
            invocation, input: try StandardInput.read(), maxVersion: Environment["MAX_SHIM_VERSION"],
            eventAddress: Environment["TTRPC_ADDRESS"] ?? "")
    }

    /// Gives what containerd wants to read on stdout.
    package func run() throws -> [UInt8] {
        let settings = try RuntimeSettings(caller.options, namespace: caller.namespace)
        let address = ShimAddress(
            containerd: caller.address, namespace: caller.namespace,
            group: try ShimGroup.name(ofBundle: ".", container: caller.id, NodePolicy.read()),
            in: caller.socketDirectory)
        guard let listener = try listen(address) else { return caller.answer(with: address) }
        do {
            adjustOOMScore(of: try serve(listener, cgroup: settings.shimCgroup))
        } catch {
            try? Files.remove(address.path)
            throw error
        }
        return caller.answer(with: address)
    }

    /// Nil if somebody serves this address already: that is how one shim serves a whole pod.
    private func listen(_ address: ShimAddress) throws(SystemError) -> Descriptor? {
        try Files.makeDirectories(caller.socketDirectory, mode: 0o700)
        // Two starts may find the socket of a dead shim at once. The second must not remove what the first has made.
        let lock = try FileLock.acquire(directory: caller.socketDirectory)
        defer { FileLock.release(lock) }
        // containerd 1.6 and 1.7 find the shim again by this file of the bundle, after a restart of their own. Each
        // container has a bundle, and so a file, whoever serves it.
        try Files.create("address", with: address.url)
        do {
            return try UnixSocket.listen(address.path)
        } catch {
            guard error.code == EADDRINUSE else { throw error }
        }
        do {
            _ = try UnixSocket.connect(address.path, nonBlocking: true)
            return nil
        } catch {
            // Its queue is full: it is alive, and busy.
            if error.code == EAGAIN { return nil }
            // The file of a shim that has died.
            try Files.remove(address.path)
            return try UnixSocket.listen(address.path)
        }
    }

    private func serve(_ listener: borrowing Descriptor, cgroup: String) throws(SystemError) -> pid_t {
        // By its path, so that process lists name the program.
        var command = Command(
            try Files.target(ofLink: "/proc/self/exe"),
            ["-namespace", caller.namespace, "-id", caller.id, "-address", caller.address])
        if caller.debug { command.arguments.append("-debug") }
        command.environment.removeAll { $0.hasPrefix("TTRPC_ADDRESS=") }
        command.environment.append("TTRPC_ADDRESS=\(caller.eventAddress)")
        command.descriptors[Self.listenerDescriptor] = listener.rawValue
        command.newSession = true
        let cgroups = cgroup.isEmpty ? [] : try Cgroup(named: cgroup).openProcesses()
        command.cgroups = cgroups.map { $0.descriptor.rawValue }
        if let wanted = Environment["SCHED_CORE"], !wanted.isEmpty { try CoreScheduling.separate() }
        return try withExtendedLifetime(cgroups) { () throws(SystemError) in try command.spawn() }
    }

    /// One above containerd's, so that the kernel ends the shim before containerd and after the containers.
    private func adjustOOMScore(of pid: pid_t) {
        guard let text = try? Files.readText("/proc/\(getppid())/oom_score_adj"),
            let score = Int(text.filter { !$0.isWhitespace })
        else { return }
        // Lowering it needs CAP_SYS_RESOURCE, and then it is as it was inherited.
        try? Files.write("\(min(score + 1, 1000))", to: "/proc/\(pid)/oom_score_adj")
    }
}
