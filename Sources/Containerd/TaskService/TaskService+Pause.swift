import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func pause(_ request: PauseRequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container in
            container.pause { then($0.map { Empty() }) }
        }
    }
}
