import ContainerdAPI
import Protobuf
import Shim

/// The shim's events in containerd's words.
extension ContainerEvent {
    package var message: any TaskEvent {
        switch self {
        case .created(let id, let bundle, let rootfs, let streams, let pid):
            TaskCreate {
                $0.containerID = id
                $0.bundle = bundle
                $0.rootfs = rootfs.map { mount in
                    Mount {
                        $0.type = mount.type
                        $0.source = mount.source
                        $0.target = mount.target
                        $0.options = mount.options
                    }
                }
                $0.io = TaskIO {
                    $0.stdin = streams.stdin
                    $0.stdout = streams.stdout
                    $0.stderr = streams.stderr
                    $0.terminal = streams.terminal
                }
                $0.pid = UInt32(pid)
            }
        case .started(let id, let pid):
            TaskStart {
                $0.containerID = id
                $0.pid = UInt32(pid)
            }
        case .execAdded(let id, let exec):
            TaskExecAdded {
                $0.containerID = id
                $0.execID = exec
            }
        case .execStarted(let id, let exec, let pid):
            TaskExecStarted {
                $0.containerID = id
                $0.execID = exec
                $0.pid = UInt32(pid)
            }
        case .exited(let id, let process, let pid, let exit):
            TaskExit {
                $0.containerID = id
                $0.id = process
                $0.pid = UInt32(pid)
                $0.exitStatus = exit.status
                $0.exitedAt = Timestamp(exit.at)
            }
        case .deleted(let id, let process, let pid, let exit):
            TaskDelete {
                $0.containerID = id
                $0.id = process
                $0.pid = UInt32(pid)
                $0.exitStatus = exit.status
                $0.exitedAt = Timestamp(exit.at)
            }
        case .outOfMemory(let id): TaskOOM { $0.containerID = id }
        case .paused(let id): TaskPaused { $0.containerID = id }
        case .resumed(let id): TaskResumed { $0.containerID = id }
        }
    }
}
