import ContainerdAPI
import Protobuf
import Runc
import Shim
import StdIO

extension TaskService {
    func create(_ request: CreateTaskRequest, _ then: @escaping Completion<CreateTaskResponse>) {
        let options: RuntimeSettings
        do throws(ShimError) {
            options = try RuntimeSettings(request.options, namespace: shim.context.namespace)
            try options.remember(in: request.bundle)
        } catch {
            return then(.failure(error))
        }
        let creation = Shim.Creation(
            id: request.id, bundle: request.bundle,
            rootfs: request.rootfs.map {
                RootMount(type: $0.type, source: $0.source, target: $0.target, options: $0.options)
            },
            streams: StreamPaths(
                stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, terminal: request.terminal),
            runtime: options.runc, owner: options.owner,
            origin: request.checkpoint.isEmpty
                ? nil
                : Shim.Origin(
                    images: request.checkpoint,
                    workDirectory: options.criuWorkPath.isEmpty ? "\(request.bundle)/work" : options.criuWorkPath))
        shim.create(creation) { result in
            then(result.map { pid in CreateTaskResponse { $0.pid = UInt32(pid) } })
        }
    }
}
