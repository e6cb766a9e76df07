import Glibc
import Linux
import StdIO

/// What containerd is told as it happens.
package enum ContainerEvent {
    case created(id: String, bundle: String, rootfs: [RootMount], streams: StreamPaths, pid: pid_t)
    case started(id: String, pid: pid_t)
    case execAdded(id: String, exec: String)
    case execStarted(id: String, exec: String, pid: pid_t)
    /// `process` is the container's id for its init, otherwise the exec's.
    case exited(id: String, process: String, pid: pid_t, exit: TaskProcess.Exit)
    case deleted(id: String, process: String, pid: pid_t, exit: TaskProcess.Exit)
    case outOfMemory(id: String)
    case paused(id: String)
    case resumed(id: String)
}

/// A mount that makes up a container's root file system, as containerd describes it.
package struct RootMount: Equatable, Sendable {
    package let type: String
    package let source: String
    package let target: String
    package let options: [String]

    package init(type: String, source: String, target: String, options: [String]) {
        self.type = type
        self.source = source
        self.target = target
        self.options = options
    }
}
