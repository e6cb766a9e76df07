import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func resizePty(_ request: ResizePtyRequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container throws(ShimError) in
            try container.process(request.execID).resize(
                columns: UInt16(clamping: request.width), rows: UInt16(clamping: request.height))
            then(.success(Empty()))
        }
    }
}
