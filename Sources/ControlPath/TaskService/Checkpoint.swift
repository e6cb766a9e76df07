import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func checkpoint(_ request: CheckpointTaskRequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container throws(ShimError) in
            let options: CheckpointOptions
            do throws(ProtobufError) {
                options = try request.options?.unpack(as: CheckpointOptions.self) ?? CheckpointOptions()
            } catch {
                throw ShimError(.invalidArgument, "checkpoint options: \(error)")
            }
            container.export(to: request.path, options: options.forRunc, workDirectory: options.workPath) {
                then($0.map { Empty() })
            }
        }
    }
}
