import Glibc
import JSON
import Lifecycle
import Linux
import Runc

/// Containers that are in the process namespace of another one of this shim: a pod's debug containers are, with their
/// target. A dump of the target would end them, so it stays awake for as long as they are there.
extension Container {
    /// The pid whose process namespace the container joins; nil for one of its own.
    var joinedProcess: pid_t? {
        guard let path = spec.namespace("pid")?.path, path.hasPrefix("/proc/"), path.hasSuffix("/ns/pid") else {
            return nil
        }
        return pid_t(path.dropFirst("/proc/".count).dropLast("/ns/pid".count))
    }

    /// Wakes the target and keeps it awake until `leaveTarget`. containerd knows the pid that it was told last, which may
    /// be no process any more, or another's: the bundle gets the present one.
    func join(_ target: Container, _ then: @escaping Completion<Void>) {
        guard let shown = joinedProcess else { return then(.success(())) }
        target.whenAwake(for: .exec) { [self] result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let work):
                self.target = (target, work)
                do throws(SystemError) {
                    try renameProcess(shown, target.main.pid)
                    then(.success(()))
                } catch {
                    leaveTarget()
                    then(.failure(ShimError(error)))
                }
            }
        }
    }

    func leaveTarget() {
        guard let (container, work) = target.take() else { return }
        container.finished(work)
    }

    private func renameProcess(_ old: pid_t, _ new: pid_t) throws(SystemError) {
        if old == new { return }
        let path = "\(bundle)/config.json"
        guard var document = try? JSON(parsing: try Files.read(path)) else {
            throw SystemError("parse", path, code: EBADMSG)
        }
        let namespaces = (document["linux"]?["namespaces"]?.array ?? []).map { namespace in
            guard namespace["path"]?.string == "/proc/\(old)/ns/pid" else { return namespace }
            var renamed = namespace
            renamed["path"] = .string("/proc/\(new)/ns/pid")
            return renamed
        }
        document["linux"]?["namespaces"] = .array(namespaces)
        try Files.replace(path, with: document.bytes, mode: 0o600)
    }
}
