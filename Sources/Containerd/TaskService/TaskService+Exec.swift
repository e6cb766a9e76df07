import ContainerdAPI
import Protobuf
import Shim
import StdIO

extension TaskService {
    func exec(_ request: ExecProcessRequest, _ then: @escaping Completion<Empty>) {
        withContainer(request.id, then) { container throws(ShimError) in
            let streams = StreamPaths(
                stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, terminal: request.terminal)
            try container.addExec(request.execID, specification: request.spec?.value ?? [], streams: streams)
            then(.success(Empty()))
        }
    }
}
