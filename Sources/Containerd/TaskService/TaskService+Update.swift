import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func update(_ request: UpdateTaskRequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container in
            container.update(resources: request.resources?.value ?? []) { then($0.map { Empty() }) }
        }
    }
}
