extension Runc {
    /// What `runc checkpoint` can be told, as far as containerd's Checkpoint call does.
    package struct CheckpointOptions: Equatable, Sendable {
        package var leaveRunning = false
        package var openTCP = false
        package var externalUnixSockets = false
        package var terminal = false
        package var fileLocks = false
        package var emptyNamespaces: [String] = []
        package var cgroupsMode = ""

        package init() {}

        var arguments: [String] {
            var arguments: [String] = []
            if leaveRunning { arguments.append("--leave-running") }
            if openTCP { arguments.append("--tcp-established") }
            if externalUnixSockets { arguments.append("--ext-unix-sk") }
            if terminal { arguments.append("--shell-job") }
            if fileLocks { arguments.append("--file-locks") }
            for namespace in emptyNamespaces { arguments += ["--empty-ns", namespace] }
            if !cgroupsMode.isEmpty { arguments += ["--manage-cgroups-mode", cgroupsMode] }
            return arguments
        }
    }

    /// `runc checkpoint`: the container's way out of this node (a sleep goes through libcriu instead). Unless it is left
    /// running, runc deletes its state and the cgroups too.
    package func checkpoint(
        images: String, workDirectory: String, _ options: CheckpointOptions, _ then: @escaping Completion<Void>
    ) {
        let arguments = ["--image-path", images, "--work-path", workDirectory] + options.arguments
        call("checkpoint", arguments + [container]) { then($0.map { _ in }) }
    }
}
