import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func pids(_ request: PidsRequest, _ then: @escaping Completion<PidsResponse>) {
        withContainer(request.id, then) { container throws(ShimError) in
            let processes = try container.processes().map { pid in
                ProcessInfo {
                    $0.pid = UInt32(pid)
                    if let exec = container.execs.values.first(where: { $0.pid == pid }) {
                        $0.info = AnyMessage(packing: ProcessDetails { $0.execID = exec.id })
                    }
                }
            }
            then(.success(PidsResponse { $0.processes = processes }))
        }
    }
}
