import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func delete(_ request: DeleteRequest, _ then: @escaping Completion<DeleteResponse>) {
        shim.delete(request.id, exec: request.execID) { result in
            then(
                result.map { pid, exit in
                    DeleteResponse {
                        $0.pid = UInt32(pid)
                        $0.exitStatus = exit.status
                        $0.exitedAt = Timestamp(exit.at)
                    }
                })
        }
    }
}
