import ContainerdAPI
import Linux
import Protobuf
import Shim
import TTRPC

/// containerd's Task service, one verb a file. It translates: messages into calls of the shim, and what these give
/// into messages. Nothing is decided here.
package final class TaskService {
    let shim: Shim
    let onConnect: () -> Void
    let onShutdown: () -> Void

    /// - Parameters:
    ///   - onConnect: containerd is there, perhaps after a restart.
    ///   - onShutdown: containerd wants this process to end.
    package init(shim: Shim, onConnect: @escaping () -> Void, onShutdown: @escaping () -> Void) {
        self.shim = shim
        self.onConnect = onConnect
        self.onShutdown = onShutdown
    }

    /// Versions 2 and 3 differ in the service's name alone.
    package func register(with server: Server) {
        for service in ServiceName.task {
            func serve<Request: Message, Response: Message>(
                _ method: String, _ verb: @escaping (Request, @escaping Completion<Response>) -> Void
            ) {
                serve(method) { request, then in
                    verb(request, then)
                    return nil
                }
            }
            func serve<Request: Message, Response: Message>(
                _ method: String, _ verb: @escaping (Request, @escaping Completion<Response>) -> (() -> Void)?
            ) {
                server.register(service: service, method: method) { call, reply in
                    let request: Request
                    do throws(ProtobufError) {
                        request = try Request(decoding: call.payload)
                    } catch {
                        return reply.fail(Status(.invalidArgument, "\(method): \(error)"))
                    }
                    let abandon = verb(request) { result in
                        switch result {
                        case .success(let response): reply.succeed(response.encoded())
                        case .failure(let error): reply.fail(Status(error))
                        }
                    }
                    if let abandon { reply.whenAbandoned(abandon) }
                }
            }
            serve("Create", create)
            serve("Start", start)
            serve("Delete", delete)
            serve("Exec", exec)
            serve("State", state)
            serve("Wait", wait)
            serve("Kill", kill)
            serve("Pids", pids)
            serve("Pause", pause)
            serve("Resume", resume)
            serve("Update", update)
            serve("Checkpoint", checkpoint)
            serve("CloseIO", closeIO)
            serve("ResizePty", resizePty)
            serve("Stats", stats)
            serve("Connect", connect)
            serve("Shutdown", shutdown)
        }
    }

    func withContainer<Response>(
        _ id: String, _ then: Completion<Response>, _ body: (Container) throws(ShimError) -> Void
    ) {
        do throws(ShimError) { try body(try shim.container(id)) } catch { then(.failure(error)) }
    }
}

extension Status {
    /// The one place where errors become wire codes.
    init(_ error: ShimError) {
        let code: Status.Code =
            switch error.kind {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .invalidArgument: .invalidArgument
            case .failedPrecondition: .failedPrecondition
            case .unavailable: .unavailable
            case .unimplemented: .unimplemented
            case .other: .unknown
            }
        self.init(code, error.description)
    }
}

extension Timestamp {
    init(_ time: WallClockTime) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }
}
