import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func kill(_ request: KillRequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container in
            container.kill(Int32(truncatingIfNeeded: request.signal), exec: request.execID, all: request.all) {
                then($0.map { Empty() })
            }
        }
    }
}
