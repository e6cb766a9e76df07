import Glibc
import Linux
import Runc

/// The `start` action: makes the socket, leaves a serving process behind, and tells containerd where it listens.
package struct Start {
    /// The listening socket, in the serving process.
    package static let listenerDescriptor: Int32 = 3

    private let invocation: Invocation

    package init(_ invocation: Invocation) {
        self.invocation = invocation
    }

    /// Gives what containerd wants to read on stdout.
    package func run() throws(SystemError) -> String {
        let address = ShimAddress(
            containerd: invocation.address, namespace: invocation.namespace, group: try group())
        try Files.makeDirectories(ShimAddress.directory, mode: 0o700)
        // containerd 1.6 and 1.7 find the shim again by this file of the bundle, after a restart of their own. Each
        // container has a bundle, and so a file, whoever serves it.
        try Files.write(address.url, to: "address")
        guard let listener = try listen(address) else { return answer(address) }
        let pid = try serve(listener)
        adjustOOMScore(of: pid)
        return answer(address)
    }

    /// What containers share a shim by. The working directory is the bundle.
    private func group() throws(SystemError) -> String {
        let spec = try OCISpec(bundle: ".")
        return spec.annotations["io.containerd.runc.v2.group"] ?? spec.sandboxID ?? invocation.id
    }

    /// Nil if somebody serves this address already: that is how one shim serves a whole pod.
    private func listen(_ address: ShimAddress) throws(SystemError) -> Descriptor? {
        do {
            return try UnixSocket.listen(address.path)
        } catch {
            guard error.code == EADDRINUSE else { throw error }
        }
        do {
            _ = try UnixSocket.connect(address.path)
            return nil
        } catch {
            // The file of a shim that has died.
            try Files.remove(address.path)
            return try UnixSocket.listen(address.path)
        }
    }

    private func serve(_ listener: borrowing Descriptor) throws(SystemError) -> pid_t {
        // By its path, so that process lists name the program.
        var command = Command(
            try Files.target(ofLink: "/proc/self/exe"),
            ["-namespace", invocation.namespace, "-id", invocation.id, "-address", invocation.address])
        if invocation.debug { command.arguments.append("-debug") }
        command.descriptors[Self.listenerDescriptor] = listener.rawValue
        command.newSession = true
        return try command.spawn()
    }

    /// One above containerd's, so that the kernel ends the shim before containerd and after the containers.
    private func adjustOOMScore(of pid: pid_t) {
        guard let text = try? Files.readText("/proc/\(getppid())/oom_score_adj"),
            let score = Int(text.filter { !$0.isWhitespace })
        else { return }
        // Lowering it needs CAP_SYS_RESOURCE, and then it is as it was inherited.
        try? Files.write("\(min(score + 1, 1000))", to: "/proc/\(pid)/oom_score_adj")
    }

    private func answer(_ address: ShimAddress) -> String {
        // containerd 1.6 does not set the variable and takes a bare address. Later ones take version 2 in JSON; they
        // also know 3, but none says so (the variable is 2 in all of them).
        guard Environment["MAX_SHIM_VERSION"] != nil else { return address.url }
        return #"{"version":2,"address":"\#(address.url)","protocol":"ttrpc"}"#
    }
}
