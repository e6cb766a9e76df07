import Glibc
import Testing

@testable import Linux

/// What the kernel tells of a connection, for those who have to know whether somebody waits for an answer.
@Suite struct TCPConnectionTests {
    /// Both ends of a connection over loopback.
    private final class Pair {
        let listener: Descriptor
        let client: Descriptor
        let server: Descriptor

        init() throws {
            listener = try ServerSocket.listen("127.0.0.1:0")
            let port = try TCPSocket.localAddress(listener).port
            let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            client = Descriptor(owning: number)
            let result = SocketAddress(ipv4: INADDR_LOOPBACK, port: port).withPointer {
                Glibc.connect(number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1)
            }
            #expect(result == 0)
            var waiting = pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)
            #expect(poll(&waiting, 1, 60_000) == 1)
            guard let accepted = try TCPSocket.accept(listener) else { throw SystemError("accept", code: EAGAIN) }
            server = accepted
        }

        /// The client sends no more, and the server's kernel knows it.
        func endClientsSending() {
            #expect(shutdown(client.rawValue, Int32(SHUT_WR)) == 0)
            var waiting = pollfd(fd: server.rawValue, events: Int16(0x2000), revents: 0)  // POLLRDHUP
            #expect(poll(&waiting, 1, 60_000) == 1)
        }

        /// The server's end, as the kernel lists it.
        func connection() throws -> TCPConnection {
            let (own, peer) = (try TCPSocket.localAddress(server), try TCPSocket.peerAddress(server))
            return try #require(
                TCPConnection.all().first { $0.local.port == own.port && $0.remote.port == peer.port })
        }

        func write(_ text: String) throws {
            _ = try client.write(Array(text.utf8))
            var waiting = pollfd(fd: server.rawValue, events: Int16(POLLIN), revents: 0)
            #expect(poll(&waiting, 1, 60_000) == 1)
        }
    }

    /// A client that has ended, and has asked nothing, waits for nothing: whether the application has seen its end or not.
    @Test(arguments: [false, true]) func aBareFINIsNoRequest(_ isRead: Bool) throws {
        let pair = try Pair()
        #expect(try pair.connection().owesAnswer == nil)
        pair.endClientsSending()
        if isRead { #expect(try pair.server.read(atMost: 10)?.isEmpty == true) }
        let connection = try pair.connection()
        #expect(connection.peerHasEnded)
        #expect(connection.owesAnswer == nil)
        #expect(connection.unreadSince == nil)
    }

    /// One byte before it is.
    @Test(arguments: [false, true]) func aRequestBeforeItIsOne(_ isRead: Bool) throws {
        let pair = try Pair()
        try pair.write("x")
        pair.endClientsSending()
        if isRead { #expect(try pair.server.read(atMost: 10)?.count == 1) }
        let connection = try pair.connection()
        #expect(connection.peerHasEnded)
        #expect(connection.owesAnswer != nil)
        #expect((connection.unreadSince != nil) == !isRead)
    }

    @Test func anAnsweredRequestIsOver() throws {
        let pair = try Pair()
        try pair.write("question")
        _ = try pair.server.read(atMost: 100)
        #expect(try pair.connection().owesAnswer != nil)
        // Later than the question by more than the kernel's clock is coarse.
        let asked = Instant.now
        while Instant.now.since(asked) < .milliseconds(30) { usleep(1000) }
        _ = try pair.server.write(Array("answer".utf8))
        pair.endClientsSending()
        _ = try pair.client.read(atMost: 100)
        #expect(try pair.connection().owesAnswer == nil)
    }
}
