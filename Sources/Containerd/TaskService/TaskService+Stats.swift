import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func stats(_ request: StatsRequest, _ then: @escaping Completion<StatsResponse>) {
        withContainer(request.id, then) { container in
            guard let cgroup = container.cgroup else {
                return then(.failure(ShimError(.failedPrecondition, "container \(container.id) has no control group")))
            }
            then(.success(StatsResponse { $0.stats = CgroupReading(cgroup).metrics }))
        }
    }
}
