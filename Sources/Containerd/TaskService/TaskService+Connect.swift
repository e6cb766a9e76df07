import ContainerdAPI
import Glibc
import Protobuf
import Shim

extension TaskService {
    func connect(_ request: ConnectRequest, _ then: @escaping Completion<ConnectResponse>) {
        onConnect()
        let pid = (try? shim.container(request.id))?.main.tellPid() ?? 0
        then(
            .success(
                ConnectResponse {
                    $0.shimPid = UInt32(getpid())
                    $0.taskPid = UInt32(pid)
                }))
    }
}
