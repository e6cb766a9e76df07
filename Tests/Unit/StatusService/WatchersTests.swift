import Glibc
import Linux
import Protobuf
import Shim
import StatusAPI
import TTRPC
import Testing

@testable import StatusService

/// Programs of the node that wait for a change, and go before there is one.
@Suite(.serialized) struct WatchersTests {
    private final class Bench {
        let loop: EventLoop
        let context: ShimContext
        let status: StatusServer
        private let server: Server
        private let path: String

        init() throws {
            signal(SIGPIPE, SIG_IGN)
            loop = try EventLoop()
            path = "/tmp/zeropod-status-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
            context = ShimContext(
                loop: loop, children: try Children(loop: loop),
                log: Log(to: try Descriptor.open("/dev/null", O_WRONLY)),
                namespace: "test", publish: { _ in })
            status = StatusServer(shim: Shim(context: context))
            server = Server(loop: loop, log: { _ in })
            status.register(with: server)
            try server.listen(on: UnixSocket.listen(path))
        }

        deinit { unlink(path) }

        func client() throws -> Client { try Client(loop: loop, address: path) }

        /// Runs until it is so. A minute only ends what hangs.
        func run(until isDone: () -> Bool) throws {
            var isLate = false
            let timer = loop.after(.seconds(60)) { isLate = true }
            try loop.run(until: { isLate || isDone() })
            loop.cancel(timer)
            #expect(!isLate)
        }

        /// Asks for what comes after the generation. The answer goes to `then`.
        func watch(_ client: Client, after generation: UInt64, _ then: @escaping (StatusList) -> Void) {
            client.call(StatusService.name, "Watch", WatchRequest { $0.generation = generation }) {
                (result: Result<StatusList, Status>) in
                if case .success(let list) = result { then(list) }
            }
        }

        func generation() throws -> UInt64 {
            let client = try client()
            var generation: UInt64?
            watch(client, after: 0) { generation = $0.generation }
            try run { generation != nil }
            return generation ?? 0
        }
    }

    @Test func whoHasGoneIsForgotten() throws {
        let bench = try Bench()
        let generation = try bench.generation()
        let (gone, staying) = (try bench.client(), try bench.client())
        var answers = 0
        bench.watch(gone, after: generation) { _ in answers += 100 }
        bench.watch(staying, after: generation) { _ in answers += 1 }
        try bench.run { bench.status.watching == 2 }
        gone.close()
        try bench.run { bench.status.watching == 1 }
        bench.context.changed()
        #expect(bench.status.watching == 0)
        try bench.run { answers > 0 }
        #expect(answers == 1)
    }
}
