import ContainerdAPI
import Protobuf
import Runc
import Shim

extension TaskService {
    func checkpoint(_ request: CheckpointTaskRequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container throws(ShimError) in
            let options: CheckpointOptions
            do throws(ProtobufError) {
                if let former = try request.options?.unpack(as: FormerCheckpointOptions.self) {
                    options = former.today
                } else {
                    options = try request.options?.unpack(as: CheckpointOptions.self) ?? CheckpointOptions()
                }
            } catch {
                throw ShimError(.invalidArgument, "checkpoint options: \(error)")
            }
            container.export(to: request.path, options: options.forRunc, workDirectory: options.workPath) {
                then($0.map { Empty() })
            }
        }
    }
}

extension CheckpointOptions {
    fileprivate var forRunc: Runc.CheckpointOptions {
        var options = Runc.CheckpointOptions()
        options.leaveRunning = !exit
        options.openTCP = openTcp
        options.externalUnixSockets = externalUnixSockets
        options.terminal = terminal
        options.fileLocks = fileLocks
        options.emptyNamespaces = emptyNamespaces
        options.cgroupsMode = cgroupsMode
        return options
    }
}
