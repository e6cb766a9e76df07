import Lifecycle
import Linux
import Runc

/// Changing limits. A sleeping container sleeps on: its cgroups are there, and runc is shown a placeholder for its init,
/// as it changes nothing for a container that has stopped.
extension Container {
    /// - Parameter resources: `linux.resources` of the OCI specification, as JSON.
    package func update(resources: [UInt8], _ then: @escaping Completion<Void>) {
        change(then) { [self] work in
            if lifecycle.state == .asleep { return updateAsleep(resources, work, then) }
            runc.update(resources: resources) { [self] result in
                finished(work)
                then(result.mapError(ShimError.init))
            }
        }
    }

    private func updateAsleep(_ resources: [UInt8], _ work: Lifecycle.Work, _ then: @escaping Completion<Void>) {
        // Awake, the kernel refuses a limit below what is used. It does not know what a sleeping container will use.
        let needed = snapshot.size
        if let limit = Runc.memoryLimit(in: resources), limit > 0, UInt64(limit) < needed {
            let reason = "memory limit of \(limit) bytes: to wake, container \(id) needs \(needed) bytes"
            return failed(work, reason, then)
        }
        let placeholder: Placeholder
        do throws(SystemError) {
            placeholder = try Placeholder(context.children)
            try RuncState.adopt(placeholder.pid, root: runc.options.root, container: id)
        } catch {
            finished(work)
            return then(.failure(ShimError(error)))
        }
        runc.update(resources: resources) { [self] result in
            withExtendedLifetime(placeholder) {}
            finished(work)
            then(result.mapError(ShimError.init))
        }
    }
}
