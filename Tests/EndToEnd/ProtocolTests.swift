import CRI
import Commands
import Foundation
import TestNode
import Testing

/// A server of the image `peers`, and its clients: functions of `clients.py`, or programs.
enum Server: String, CaseIterable, Sendable {
    case peers, websocket, grpc, nginx

    var command: [String] {
        switch self {
        case .peers: ["python3", "/srv/peers.py"]
        case .websocket, .grpc: ["python3", "/srv/peers.py", rawValue]
        case .nginx: ["nginx", "-c", "/etc/peers/nginx.conf"]
        }
    }

    var clients: [Client] {
        switch self {
        case .peers:
            [.smtp, .mysql, .echo, .largeEcho, .halfClose, .serverEndsFirst, .beReset, .reset, .smallBuffer]
        case .websocket: [.websocket]
        case .grpc: [.grpc]
        case .nginx: [.tls, .http2, .http2OverTLS]
        }
    }
}

/// What a client may do with the connection that wakes a container.
enum Client: String, Sendable {
    // The server speaks first.
    case smtp, mysql
    // 64 kB in the first write, and more both ways than any buffer holds.
    case echo, largeEcho
    // Each side ends sending for itself.
    case halfClose = "half_close"
    case serverEndsFirst = "server_ends_first"
    // Resets are passed on.
    case beReset = "be_reset"
    case reset
    case smallBuffer = "small_buffer"
    case websocket, grpc
    // openssl and curl.
    case tls, http2, http2OverTLS

    /// What the server saw of it, where the client cannot tell.
    var trace: String? {
        switch self {
        case .smtp: "mail of 6018 bytes"
        case .serverEndsFirst: "1000000 bytes after the end"
        case .reset: "the client reset"
        default: nil
        }
    }
}

extension SleepingPods {
    /// The connection that wakes is whole, whatever is spoken on it: real servers and their clients.
    @Suite struct ProtocolTests {
        @Test(arguments: Server.allCases, Handover.allCases)
        func firstConnectionsAreWhole(_ kind: Server, _ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withPeers { clients in
                try await node.withSleepyPod("spoken", ["handover": handover.rawValue]) { pod in
                    let server = try await pod.start("server", image: "peers", command: kind.command)
                    for (cycle, client) in kind.clients.enumerated() {
                        try await server.awaitSleep(cycle + 1)
                        let address = cycle.isMultiple(of: 2) == (handover == .relay) ? pod.ip4 : pod.ip6
                        try await speak(client, clients, with: server, at: address)
                        #expect(try await server.wakes() >= cycle + 1, "\(client)")
                    }
                }
            }
        }

        private func speak(
            _ client: Client, _ clients: Peers, with server: Container, at address: String
        ) async throws {
            let url = address.contains(":") ? "[\(address)]" : address
            let node = server.pod.node
            switch client {
            case .tls:
                let request = "GET / HTTP/1.1\r\nHost: peers.test\r\nConnection: close\r\n\r\n"
                let answer = try await clients.command(
                    ["openssl", "s_client", "-quiet", "-verify_quiet", "-ign_eof", "-connect", "\(url):443"],
                    input: Data(request.utf8))
                #expect(answer.text.hasSuffix("\r\n\r\nhello from nginx\n"))
            case .http2:
                let reply = try await node.get(
                    address, port: 8081, from: .outside, options: ["--http2-prior-knowledge", "--fail"])
                #expect(reply.text == "hello from nginx\n")
            case .http2OverTLS:
                let output = try await node.run(
                    "ip", "netns", "exec", "client", "curl", "--silent", "--show-error", "--globoff", "--insecure",
                    "--http2", "--write-out", "HTTP/%{http_version}", "https://\(url)/")
                #expect(output.text == "hello from nginx\nHTTP/2")
            case .largeEcho: try await clients.run("echo", address, "8000000")
            default: try await clients.run(client.rawValue, address)
            }
            if let trace = client.trace { try await server.awaitLog(trace) }
        }
    }
}
