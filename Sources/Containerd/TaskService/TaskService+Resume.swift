import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func resume(_ request: ResumeRequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container in
            container.resume { then($0.map { Empty() }) }
        }
    }
}
