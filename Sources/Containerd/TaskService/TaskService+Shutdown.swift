import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    /// Ends the shim, unless it has containers still.
    func shutdown(_ request: ShutdownRequest, _ then: @escaping Completion<Empty>) {
        then(.success(Empty()))
        if shim.isEmpty || request.now { onShutdown() }
    }
}
