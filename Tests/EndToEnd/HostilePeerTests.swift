import CRI
import Commands
import Foundation
import Glibc
import TestNode
import Testing

extension SleepingPods {
    /// Peers of the serving process that do not keep to ttrpc. None of them stops it, delays others, or makes it large.
    @Suite struct HostilePeerTests {
        enum Attack: String, CaseIterable, Sendable {
            case garbage, anotherProtocol, halfFrames, tooLong, manyStreams, manyWaits, silence, neverReads

            var connections: Int {
                switch self {
                case .silence: 700
                case .halfFrames: 40
                default: 4
                }
            }

            func send(to peer: HostilePeer, container: String) {
                switch self {
                case .garbage:
                    var random = SystemRandomNumberGenerator()
                    peer.send((0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) })
                case .anotherProtocol: peer.send(Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                case .halfFrames: peer.send(HostilePeer.header(4 << 20) + [UInt8](repeating: 0, count: 4 << 20 - 1))
                case .tooLong:
                    for stream in stride(from: UInt32(1), to: 9, by: 2) {
                        peer.send(
                            HostilePeer.header(4 << 20 + 1, stream: stream)
                                + [UInt8](repeating: 0, count: 4 << 20 + 1))
                    }
                case .manyStreams: peer.send((0..<10_000).flatMap { HostilePeer.call($0 * 2 + 1, "Nothing", "") })
                case .manyWaits: peer.send((0..<10_000).flatMap { HostilePeer.call($0 * 2 + 1, "Wait", container) })
                case .silence: break
                case .neverReads: peer.send((0..<100_000).flatMap { HostilePeer.call($0 * 2 + 1, "State", container) })
                }
            }
        }

        @Test(arguments: Attack.allCases) func containersAreServedAsEver(_ attack: Attack) async throws {
            let node = try await node(.current)
            try await node.withPod("besieged", runtime: .zeropod) { pod in
                let first = try await pod.start("first", image: "busybox", command: ["sleep", "1000"])
                let shim = try await pod.shimProcess()
                let before = try await node.privateMemory(ofProcess: shim)
                let address = try await node.shell(
                    "cat /run/containerd/io.containerd.runtime.v2.task/k8s.io/\(pod.id)/address"
                ).trimmed
                let path = node.root + address.dropFirst("unix://".count)

                var peers: [HostilePeer] = []
                for _ in 0..<attack.connections {
                    let peer = try HostilePeer(path)
                    attack.send(to: peer, container: first.id)
                    peers.append(peer)
                }
                // Over the connection that containerd has, and over a new one.
                #expect(try await first.exec("echo", "served").stdout == "served\n")
                let second = try await pod.start("second", image: "busybox", command: ["sleep", "1000"])
                #expect(try await second.exec("echo", "served").stdout == "served\n")
                #expect(try await node.privateMemory(ofProcess: shim) < before + 100 << 20)

                peers = []
                var after = 0
                _ = try? await eventually("the shim gives back what it held") {
                    after = try await node.privateMemory(ofProcess: shim)
                    return after < before + 4 << 20 ? true : nil
                }
                #expect(after < before + 4 << 20)
                try await second.stop(timeout: 0)
                #expect(try await pod.shimProcess() == shim)
            }
        }

        /// The directory's mode keeps others out; this is for the day when somebody has opened it up.
        @Test func anotherUserIsRefused() async throws {
            let node = try await node(.current)
            try await node.withPod("private", runtime: .zeropod) { pod in
                let script = """
                    set -e
                    address=$(cat /run/containerd/io.containerd.runtime.v2.task/k8s.io/\(pod.id)/address)
                    path=${address#unix://}
                    stat -c '%a %a' /run/containerd/s | head -c 3
                    stat -c ' %a' "$path"
                    chmod 711 /run/containerd/s; chmod 666 "$path"
                    trap 'chmod 700 /run/containerd/s; chmod 600 "$path"' EXIT
                    timeout 20 perl -e 'use Socket; $> = 65534; socket(S, PF_UNIX, SOCK_STREAM, 0) or die;
                        connect(S, pack_sockaddr_un($ARGV[0])) or die "connect: $!";
                        print "got ", sysread(S, $b, 1), "\\n"' "$path"
                    """
                // The end comes at once.
                #expect(try await node.shell(script).text == "700 600\ngot 0\n")
                try await eventually("the shim tells of it") {
                    try pod.containerdLog().contains("refused a connection of user 65534")
                }
            }
        }
    }
}

/// A connection that takes whatever is sent, as far as it goes, and never reads.
final class HostilePeer {
    private let socket: Int32

    init(_ path: String) throws {
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8).prefix(107)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, __CONST_SOCKADDR_ARG(__sockaddr__: $0), socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        // A server that stops reading must not stop the test.
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    /// As much as the other side takes before it stops, or closes.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    static func header(_ length: UInt32, stream: UInt32 = 1) -> [UInt8] {
        [length, stream].flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } } + [1, 0]
    }

    /// A call of the Task service, about a container.
    static func call(_ stream: UInt32, _ method: String, _ container: String) -> [UInt8] {
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            [number << 3 | 2, UInt8(bytes.count)] + bytes
        }
        let message = field(1, Array(container.utf8))
        let envelope =
            field(1, Array("containerd.task.v2.Task".utf8)) + field(2, Array(method.utf8)) + field(3, message)
        return header(UInt32(envelope.count), stream: stream) + envelope
    }
}
