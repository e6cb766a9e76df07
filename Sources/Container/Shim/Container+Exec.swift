import StdIO

extension Container {
    /// Adds a process that `start` will start.
    /// - Parameter specification: the process object of the OCI specification, as JSON.
    package func addExec(
        _ exec: String, specification: [UInt8], streams: StreamPaths
    ) throws(ShimError) {
        if execs[exec] != nil { throw ShimError(.alreadyExists, "exec \(exec) of container \(id) already exists") }
        if main.exit != nil { throw ShimError(.failedPrecondition, "container \(id) has ended") }
        if main.pid == 0 {
            throw ShimError(.failedPrecondition, "cannot exec in container \(id): it is not restored yet")
        }
        if isPaused { throw ShimError(.failedPrecondition, "cannot exec in a paused container: \(id)") }
        execs[exec] = TaskProcess(id: exec, streams: streams)
        pendingExecs[exec] = specification
        context.publish(.execAdded(id: id, exec: exec))
    }
}
