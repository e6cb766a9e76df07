import ContainerdAPI
import Protobuf
import Shim

extension TaskService {
    func state(_ request: StateRequest, _ then: @escaping Completion<StateResponse>) {
        withContainer(request.id, then) { container throws(ShimError) in
            let process = try container.process(request.execID)
            let exit = process.hasRun ? process.exit : nil
            then(
                .success(
                    StateResponse {
                        $0.id = container.id
                        $0.execID = request.execID
                        $0.bundle = container.bundle
                        $0.pid = UInt32(process.tellPid())
                        $0.status = status(of: process, in: container)
                        $0.stdin = process.streams.stdin
                        $0.stdout = process.streams.stdout
                        $0.stderr = process.streams.stderr
                        $0.terminal = process.streams.terminal
                        $0.exitStatus = exit?.status ?? 0
                        $0.exitedAt = exit.map { Timestamp($0.at) }
                    }))
        }
    }

    /// A container that sleeps is running: that is the point.
    private func status(of process: TaskProcess, in container: Container) -> TaskStatus {
        switch process.phase {
        case .created: .created
        case .running: container.isPaused && process === container.main ? .paused : .running
        // An exec that could not be started has not ended either.
        case .exited: process.hasRun ? .stopped : .created
        }
    }
}
