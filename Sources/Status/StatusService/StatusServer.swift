import Glibc
import Linux
import Protobuf
import Shim
import StatusAPI
import TTRPC

/// Answers programs of the node that want to know what the containers of this shim do. It translates, as the task
/// service does for containerd.
package final class StatusServer {
    private let shim: Shim
    /// Above zero, so that a caller who has seen nothing is answered at once; another number in the next process.
    private var generation: UInt64
    /// By the order in which they came.
    private var watchers: [UInt64: Reply] = [:]
    private var lastWatcher: UInt64 = 0

    package init(shim: Shim) {
        self.shim = shim
        generation = Instant.now.nanoseconds
        shim.context.changed = { [unowned self] in changed() }
    }

    package func register(with server: Server) {
        func serve(_ method: String, _ handler: @escaping (Call, Reply) throws -> Void) {
            server.register(service: StatusService.name, method: method) { call, reply in
                do {
                    try handler(call, reply)
                } catch {
                    reply.fail(Status(.invalidArgument, "\(method): \(error)"))
                }
            }
        }
        serve("List") { [unowned self] _, reply in reply.succeed(list()) }
        serve("Watch") { [unowned self] call, reply in
            let request = try WatchRequest(decoding: call.payload)
            if request.generation == generation { keep(reply) } else { reply.succeed(list()) }
        }
        serve("Sleep") { [unowned self] call, reply in
            perform(try ContainerRequest(decoding: call.payload), reply) { $0.sleepNow($1) }
        }
        serve("Wake") { [unowned self] call, reply in
            perform(try ContainerRequest(decoding: call.payload), reply) { $0.wakeNow($1) }
        }
    }

    /// Who has seen all there is waits for a change, or goes.
    private func keep(_ reply: Reply) {
        lastWatcher += 1
        let number = lastWatcher
        watchers[number] = reply
        reply.whenAbandoned { [weak self] in self?.watchers[number] = nil }
    }

    /// How many wait for a change.
    var watching: Int { watchers.count }

    private func list() -> StatusList {
        StatusList {
            $0.generation = generation
            $0.containers = shim.all.map(ContainerReport.init)
            $0.pid = UInt32(getpid())
        }
    }

    private func changed() {
        generation += 1
        // Most of the time nobody watches, and then there is nothing to put together.
        if watchers.isEmpty { return }
        let (waiting, answer) = (watchers, list().encoded())
        watchers = [:]
        for (_, reply) in waiting.sorted(by: { $0.key < $1.key }) { reply.succeed(answer) }
    }

    private func perform(
        _ request: ContainerRequest, _ reply: Reply, _ verb: (Container, @escaping Completion<Void>) -> Void
    ) {
        do throws(ShimError) {
            verb(try shim.container(request.id)) { result in
                switch result {
                case .success: reply.succeed(Empty())
                case .failure(let error): reply.fail(Status(.failedPrecondition, error.description))
                }
            }
        } catch {
            reply.fail(Status(.notFound, error.description))
        }
    }
}
