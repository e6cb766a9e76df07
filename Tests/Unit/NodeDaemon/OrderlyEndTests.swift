import Glibc
import Linux
import Testing

@testable import NodeDaemon

/// The daemon may be told to end at any moment: with requests to an API server that does not answer, and with people who
/// wait for theirs.
@Suite struct OrderlyEndTests {
    /// Several, since libcurl has to set its timer anew when the first of them is given up.
    @Test func requestsWithoutAnAnswerAreGivenUp() throws {
        let loop = try EventLoop()
        let server = try StandInAPIServer(loop: loop) { _ in .init(staysOpen: true) }
        var told = 0
        do {
            let transfers = try #require(Transfers(loop: loop))
            let api = APIServer(.init(url: server.url), transfers)
            for path in ["/a", "/b", "/c"] { api.ask("GET", path) { _ in told += 1 } }
            try loop.run(until: { server.requests.count == 3 })
        }
        #expect(told == 0)
        // What the transfers watched is not watched any more: nothing is left to run into what has gone.
        #expect(loop.nextTimer == nil)
    }

    @Test func peopleWhoWaitAreSentAway() throws {
        let loop = try EventLoop()
        let listener = try ServerSocket.listen("127.0.0.1:0")
        let port = try TCPSocket.localAddress(listener).port
        var answers: [(HTTPServer.Answer) -> Void] = []
        var server: HTTPServer? = try HTTPServer(listener, loop: loop) { _, then in answers.append(then) }
        let client = try connect(to: port)
        _ = try client.write(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        try loop.run(until: { answers.count == 1 })
        #expect(server != nil)
        server = nil
        // An answer that comes too late finds nobody.
        answers[0](HTTPServer.Answer(body: "late"))
        #expect(try client.read(atMost: 100)?.isEmpty == true, "the connection has ended")
    }

    private func connect(to port: UInt16) throws -> Descriptor {
        let socket = Descriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        let result = SocketAddress(ipv4: INADDR_LOOPBACK, port: port).withPointer {
            Glibc.connect(socket.rawValue, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1)
        }
        #expect(result == 0)
        return socket
    }
}
