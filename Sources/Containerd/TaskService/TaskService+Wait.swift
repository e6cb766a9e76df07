import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    /// Gives what to do when nobody waits for the answer any more: each restart of containerd leaves its Waits behind.
    func wait(_ request: WaitRequest, _ then: @escaping Completion<WaitResponse>) -> () -> Void {
        var abandon = {}
        withContainer(request.id, then) { container throws(ShimError) in
            let process = try container.process(request.execID)
            let waiter = process.whenExited { exit in
                then(
                    .success(
                        WaitResponse {
                            $0.exitStatus = exit.status
                            $0.exitedAt = Timestamp(exit.at)
                        }))
            }
            abandon = { process.forget(waiter) }
        }
        return abandon
    }
}
