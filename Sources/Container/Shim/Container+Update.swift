import Runc

/// Changing limits. A sleeping container sleeps on: its cgroups are there.
extension Container {
    /// - Parameter resources: `linux.resources` of the OCI specification, as JSON.
    package func update(resources: [UInt8], _ then: @escaping Completion<Void>) {
        change(then) { [self] work in
            let isAsleep = lifecycle.state == .asleep
            // Awake, the kernel refuses a limit below what is used. It does not know what a sleeping container will use.
            if isAsleep, let limit = Runc.memoryLimit(in: resources), limit > 0, UInt64(limit) < snapshot.size {
                let reason = "memory limit of \(limit) bytes: to wake, container \(id) needs \(snapshot.size) bytes"
                return failed(work, reason, then)
            }
            (isAsleep ? runc.updateAsleep : runc.update)(resources) { [self] result in
                finished(work)
                then(result.mapError(ShimError.init))
            }
        }
    }
}
