import Checkpoint
import Glibc
import Linux

/// The criu program of this node: whether there is one, and whether it can serve this kernel.
final class CRIU {
    private let paths: ShimContext.Paths
    let loop: EventLoop
    let children: Children
    /// The program that was found fit for this kernel, and which file it was: an upgrade, or the way back from one, puts
    /// another one in its place.
    private var checked: (program: Program, file: FileStamp)?

    /// A criu that can serve this kernel.
    struct Program {
        let path: String
        /// Whether it makes processes in a user namespace that was kept.
        let keepsUserNamespaces: Bool
    }

    init(_ paths: ShimContext.Paths, loop: EventLoop, children: Children) {
        (self.paths, self.loop, self.children) = (paths, loop, children)
    }

    /// Finds criu and asks it once for its version. Calls back on the loop.
    func locate(_ then: @escaping (Result<Program, CheckpointError>) -> Void) {
        guard let path = paths.program("criu") else {
            let reason = "criu is not installed: it is neither in \(paths.programs) nor on PATH"
            return then(.failure(.unusable(reason: reason)))
        }
        let file = FileStamp(path)
        if let checked, checked.program.path == path, checked.file == file { return then(.success(checked.program)) }
        if let reason = Self.loss(kernel: KernelVersion.running, hasSELinux: KernelSecurity.hasSELinux) {
            return then(.failure(.lossy(reason: reason)))
        }
        ask(path) { [self] answer in
            if let complaint = Self.complaint(path, Self.parse(answer), kernel: KernelVersion.running) {
                return then(.failure(.unusable(reason: complaint)))
            }
            guard Self.keeps("descriptors", answer) else {
                let reason =
                    "\(path) opens files by their paths at a wake, where they may be others by then: "
                    + "install the criu that comes with zeropod"
                return then(.failure(.lossy(reason: reason)))
            }
            let program = Program(path: path, keepsUserNamespaces: Self.keeps("user namespaces", answer))
            checked = file.map { (program, $0) }
            then(.success(program))
        }
    }

    /// What a restore would lose on this node, which would show when the processes are gone; nil if nothing.
    static func loss(kernel: KernelVersion, hasSELinux: Bool) -> String? {
        // mount_setattr came with 5.12, and what CRIU needs for rseq with 5.13.
        if kernel < KernelVersion(5, 13) {
            return "Linux \(kernel) cannot restore what it has checkpointed: 5.13 or later can"
        }
        // The restored processes would have the label of the shim, which may do more than a container.
        if hasSELinux { return "criu does not give back the SELinux labels of processes" }
        return nil
    }

    /// Why this criu will not do on this kernel, or nil if it will.
    static func complaint(_ path: String, _ version: (major: Int, minor: Int)?, kernel: KernelVersion) -> String? {
        guard let version else { return "\(path) does not tell its version" }
        // Linux 6.13 split the vvar mapping; criu before 4.1 does not know vvar_vclock and fails to restore.
        if kernel >= KernelVersion(6, 13), version < (4, 1) {
            return "\(path) is version \(version.major).\(version.minor), and Linux \(kernel) needs criu 4.1 or later"
        }
        return nil
    }

    private func ask(_ path: String, _ then: @escaping (String) -> Void) {
        do throws(SystemError) {
            try children.run(Command(path, ["--version"])) { _, output in then(output) }
        } catch {
            loop.soon { then("") }
        }
    }

    /// Whether it has what image/criu-changes/ adds, which tells so below the version.
    static func keeps(_ what: String, _ output: String) -> Bool {
        output.split(separator: "\n").contains { $0 == "Keeps: \(what)" }
    }

    /// `Version: 4.2.1` is the first line.
    static func parse(_ output: String) -> (major: Int, minor: Int)? {
        for line in output.split(separator: "\n") where line.hasPrefix("Version: ") {
            let numbers = line.dropFirst("Version: ".count).split(separator: ".").map { Int($0) }
            if numbers.count >= 2, let major = numbers[0], let minor = numbers[1] { return (major, minor) }
        }
        return nil
    }
}
