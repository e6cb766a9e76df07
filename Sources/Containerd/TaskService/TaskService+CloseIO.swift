import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func closeIO(_ request: CloseIORequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container throws(ShimError) in
            if request.stdin { try container.process(request.execID).closeStdin() }
            then(.success(Empty()))
        }
    }
}
