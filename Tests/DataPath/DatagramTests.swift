import Glibc
import Linux
import Testing

@testable import DataPath

/// Datagrams for a container that is away, over a real network.
@Suite struct DatagramTests {
    /// A UDP socket that a test sends from or receives at.
    final class Peer {
        let socket: Descriptor

        init(in network: borrowing Namespace, at address: SocketAddress) throws {
            socket = try network.inside { () throws(SystemError) in
                let socket = try UDPSocket.make(address.family)
                try TCPSocket.bind(socket, to: address)
                return socket
            }
        }

        /// The port of a socket that was bound to none.
        var port: UInt16 { (try? TCPSocket.localAddress(socket).port) ?? 0 }

        func send(_ bytes: [UInt8], to address: SocketAddress) throws {
            let count = try retrying("sendto") {
                address.withPointer {
                    sendto(socket.rawValue, bytes, bytes.count, 0, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1)
                }
            }
            #expect(count == bytes.count)
        }

        func receive() throws -> (bytes: [UInt8], from: SocketAddress)? {
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            var count = 0
            let capacity = bytes.count
            guard
                let from = try? SocketAddress.reading(
                    "recvfrom",
                    { address, length in
                        count = recvfrom(
                            socket.rawValue, &bytes, capacity, 0, __SOCKADDR_ARG(__sockaddr__: address), length)
                        return count < 0 ? -1 : 0
                    })
            else { return nil }
            return (Array(bytes[..<count]), from)
        }

        /// The next one, which may be on its way through the kernel still.
        func awaitNext(_ loop: EventLoop, line: Int = #line) throws -> (bytes: [UInt8], from: SocketAddress) {
            var next: (bytes: [UInt8], from: SocketAddress)?
            try loop.wait(looking: true, line: line) {
                if let received = try? receive() { next = received }
                return next != nil
            }
            return try #require(next)
        }
    }

    /// A pod with a UDP port whose application is away.
    final class Sleeper {
        let loop: EventLoop
        let pod: TestPod
        let redirector: Redirector
        let held: HeldDatagrams
        var calls = 0
        private final class Log { var messages: [String] = [] }
        private let log = Log()
        var messages: [String] { log.messages }

        init(port: UInt16 = 53) throws {
            loop = try EventLoop()
            pod = try TestPod(1)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            redirector = try Redirector(pod: "one")
            let log = self.log
            held = try HeldDatagrams(
                loop: loop, network: NetworkThread(loop: loop), networkNamespace: pod.network, ports: [port]
            ) { log.messages.append($0) }
            try redirector.register(held, slot: 5)
            try redirector.declare(datagramPorts: [port])
            try held.watch { [unowned self] in calls += 1 }
            try redirector.steer(datagramPorts: [port], to: 5)
        }

        func deliver(_ count: Int) throws {
            try redirector.steer(datagramPorts: [53], to: nil)
            held.deliver()
            try loop.wait { held.delivered == count }
        }

        func address(_ ipv6: Bool) throws -> SocketAddress {
            try #require(SocketAddress(ipv6 ? pod.ipv6 : pod.ipv4, port: 53))
        }
    }

    static func client(_ ipv6: Bool) throws -> Peer {
        try Peer(
            in: try Namespace.own(.network),
            at: try #require(SocketAddress(ipv6 ? "fd99:1::1" : "10.99.1.1", port: 0)))
    }

    @Test(arguments: [false, true]) func theyWakeAndAreDeliveredAsTheyWere(_ ipv6: Bool) throws {
        try inScratch {
            let one = try Sleeper()
            let client = try Self.client(ipv6)
            let address = try one.address(ipv6)
            // Of odd and even length, empty, and larger than a packet: these come in fragments.
            let sizes = [3, 4, 0, 1, 1400, 9000, 65000]
            let sent = sizes.map { size in (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ size) } }
            for bytes in sent { try client.send(bytes, to: address) }
            try one.loop.wait { one.calls == 1 }
            let large = sizes.count { $0 > 1500 }
            try one.loop.wait(looking: true) {
                (try? Fragments.reassembled(in: one.pod, ipv6: ipv6).whole) == large
            }

            let application = try Peer(in: one.pod.network, at: SocketAddress(ipv6: 0, port: 53))
            try one.deliver(sent.count)
            for bytes in sent {
                let got = try application.awaitNext(one.loop)
                #expect(got.bytes == bytes)
                #expect(got.from.address == (try TCPSocket.localAddress(client.socket).address))
                #expect(got.from.port == client.port)
                try application.send(Array("answer".utf8), to: got.from)
            }
            #expect(try application.receive() == nil)
            let answer = try client.awaitNext(one.loop)
            #expect(answer.bytes == Array("answer".utf8) && answer.from == address)
            #expect(one.messages == [])

            // From now on without a detour.
            try client.send([1, 2, 3], to: address)
            #expect(try application.awaitNext(one.loop).bytes == [1, 2, 3])
            #expect(one.calls == 1)
        }
    }

    /// A sidecar that has its port still, over lo.
    @Test func aClientInThePodKeepsItsAddressToo() throws {
        try inScratch {
            let one = try Sleeper()
            let client = try Peer(in: one.pod.network, at: try #require(SocketAddress("127.0.0.1", port: 0)))
            try client.send([9], to: try #require(SocketAddress("127.0.0.1", port: 53)))
            try one.loop.wait { one.calls == 1 }
            let application = try Peer(in: one.pod.network, at: try #require(SocketAddress("127.0.0.1", port: 53)))
            try one.deliver(1)
            let got = try application.awaitNext(one.loop)
            #expect(got.bytes == [9] && "\(got.from)" == "127.0.0.1:\(client.port)")
        }
    }

    /// A flood holds no more than it may, and what was held first is delivered.
    @Test func whatIsHeldIsBounded() throws {
        try inScratch {
            let one = try Sleeper()
            let client = try Self.client(false)
            let address = try one.address(false)
            for number in 0..<20_000 {
                try client.send(
                    [UInt8(number & 255), UInt8(number >> 8)] + [UInt8](repeating: 0, count: 1000), to: address)
            }
            try one.loop.wait { one.calls == 1 }
            let memory = try sh("ip netns exec pod1 ss -Hunlm").split(separator: "skmem:(r").dropFirst().first ?? ""
            let held = try #require(Int(memory.prefix { $0.isNumber }))
            #expect(held > 500_000 && held < 1_200_000)

            let application = try Peer(in: one.pod.network, at: SocketAddress(ipv6: 0, port: 53))
            try one.redirector.steer(datagramPorts: [53], to: nil)
            one.held.deliver()
            var next = 0
            try one.loop.wait(looking: true) {
                while let got = try? application.receive() {
                    if got.bytes.count == 1002 && Int(got.bytes[0]) | Int(got.bytes[1]) << 8 == next { next += 1 }
                }
                return next > 0 && next == one.held.delivered && next >= 200
            }
            #expect(next < 20_000)
        }
    }

    /// The socket that holds them has a port as well, which any process of the pod can send to.
    @Test func whatIsForTheHolderItselfIsDropped() throws {
        try inScratch {
            let one = try Sleeper()
            let client = try Peer(in: one.pod.network, at: try #require(SocketAddress("127.0.0.1", port: 0)))
            let port = try TCPSocket.localAddress(one.held.descriptor.descriptor).port
            let holder = try #require(SocketAddress("127.0.0.1", port: port))
            try client.send([1], to: holder)
            try one.loop.wait { one.calls == 1 }
            try client.send([2], to: try #require(SocketAddress("127.0.0.1", port: 53)))
            try client.send([3], to: holder)
            let application = try Peer(in: one.pod.network, at: SocketAddress(ipv6: 0, port: 53))
            try one.deliver(1)
            #expect(try application.awaitNext(one.loop).bytes == [2])
            #expect(try UDPSocket.peek(one.held.descriptor.descriptor) == nil)
            #expect(one.messages == [])
        }
    }

    @Test func undeclaredPortsAreNotTouched() throws {
        try inScratch {
            let one = try Sleeper()
            let client = try Self.client(false)
            let application = try Peer(in: one.pod.network, at: SocketAddress(ipv6: 0, port: 5353))
            try client.send([1], to: try #require(SocketAddress(one.pod.ipv4, port: 5353)))
            #expect(try application.awaitNext(one.loop).bytes == [1])
            #expect(one.calls == 0)
            #expect(try one.redirector.activityReader(ports: [], datagramPorts: [53, 5353]).now.last == nil)
        }
    }

    @Test(arguments: [false, true]) func theyCountAsTraffic(_ ipv6: Bool) throws {
        try inScratch {
            let one = try Sleeper()
            try one.redirector.steer(datagramPorts: [53], to: nil)
            let client = try Self.client(ipv6)
            let application = try Peer(in: one.pod.network, at: SocketAddress(ipv6: 0, port: 53))
            let reader = try one.redirector.activityReader(ports: [], datagramPorts: [53])
            #expect(reader.now.last == nil)
            let before = Instant.now
            try client.send([1], to: try one.address(ipv6))
            _ = try application.awaitNext(one.loop)
            let asked = try #require(reader.now.last)
            #expect(asked >= before)
            // What it says by itself counts, too.
            try application.send([2], to: try TCPSocket.localAddress(client.socket))
            _ = try client.awaitNext(one.loop)
            #expect(try #require(reader.now.last) > asked)
            // TCP of the same number is another port.
            #expect(one.redirector.lastActivity(of: [53]) == nil)
        }
    }

    @Test func whatIsDiscardedDoesNotComeBack() throws {
        try inScratch {
            let one = try Sleeper()
            let client = try Self.client(false)
            try client.send([1], to: try one.address(false))
            try one.loop.wait { one.calls == 1 }
            one.held.discard()
            try one.held.watch { one.calls += 1 }
            try client.send([2], to: try one.address(false))
            try one.loop.wait { one.calls == 2 }
            let application = try Peer(in: one.pod.network, at: SocketAddress(ipv6: 0, port: 53))
            try one.deliver(1)
            #expect(try application.awaitNext(one.loop).bytes == [2])
        }
    }
}
