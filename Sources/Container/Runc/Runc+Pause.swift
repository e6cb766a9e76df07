extension Runc {
    /// `runc pause`: freezes the container's cgroup.
    package func pause(_ then: @escaping Completion<Void>) {
        call("pause", [container]) { then($0.map { _ in }) }
    }

    package func resume(_ then: @escaping Completion<Void>) {
        call("resume", [container]) { then($0.map { _ in }) }
    }
}
