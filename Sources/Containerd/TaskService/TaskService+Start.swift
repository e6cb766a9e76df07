import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func start(_ request: StartRequest, _ then: @escaping Completion<StartResponse>) {
        withContainer(request.id, then) { container in
            container.start(exec: request.execID) { result in
                then(result.map { pid in StartResponse { $0.pid = UInt32(pid) } })
            }
        }
    }
}
