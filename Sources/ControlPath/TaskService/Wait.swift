import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func wait(_ request: WaitRequest, _ then: @escaping Completion<WaitResponse>) {
        withContainer(request.id, then) { container throws(ShimError) in
            try container.process(request.execID).whenExited { exit in
                then(
                    .success(
                        WaitResponse {
                            $0.exitStatus = exit.status
                            $0.exitedAt = Timestamp(exit.at)
                        }))
            }
        }
    }
}
