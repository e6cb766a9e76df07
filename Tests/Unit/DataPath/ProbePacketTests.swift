import CBPF
import DataPath
import Glibc
import Linux
import Testing

/// The tc programs by BPF_PROG_TEST_RUN: which packets of the node count, and what is remembered of them.
@Suite struct ProbePacketTests {
    /// The addresses of `ParsingTests`' packets.
    static let node4 = SocketAddress("10.0.0.1", port: 0)?.address ?? 0
    static let node6 = SocketAddress("fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd", port: 0)?.address ?? 0
    static let (syn, ack, fin): (UInt8, UInt8, UInt8) = (2, 16, 17)

    /// One connection from the node to port 80, in either family.
    struct Flow {
        let programs: Programs
        var port: UInt16 = 1234
        var isIPv6 = false
        /// The first byte of the client's IPv4 address, which goes on with 0.0.1.
        var network: UInt8 = 10
        /// Behind the packet, which the programs then do not take for a plain one.
        var padding = 0
        /// The sequence number of the pod's SYN.
        static let begin: UInt32 = 0xffff_ffff

        private func packet(_ flags: UInt8, _ payload: [UInt8], fromPod: Bool, _ number: UInt32) -> [UInt8] {
            let ports = fromPod ? [80, port] : [port, 80]
            let counted = (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
            let other: [UInt8] = [0, 0, 0, 0]
            var tcp: [UInt8] = ports.flatMap(ParsingTests.big)
            tcp += fromPod ? counted : other
            tcp += fromPod ? other : counted
            tcp += [0x50, flags]
            tcp += [UInt8](repeating: 0, count: 6)
            tcp += payload
            let behind = [UInt8](repeating: 0, count: padding)
            if isIPv6 { return ParsingTests.ipv6(6, tcp) + behind }
            var bytes = ParsingTests.ipv4(tcp)
            bytes[26] = network
            // From 10.0.0.2, the other way round.
            if fromPod { (bytes[26], bytes[29], bytes[30], bytes[33]) = (bytes[30], bytes[33], bytes[26], bytes[29]) }
            return bytes + behind
        }

        /// - Parameter seen: How many bytes of the pod's it acknowledges; nil for one who has not seen its SYN.
        /// - Returns: whether the packet counted as activity.
        func client(_ flags: UInt8 = ack, _ payload: [UInt8] = [], seen: UInt32? = 0) throws -> Bool {
            let number = seen.map { Self.begin &+ 1 &+ $0 } ?? 4711
            return try programs.counts("zeropod_ingress", packet(flags, payload, fromPod: false, number))
        }

        /// - Parameter sent: How many bytes it has sent before.
        func pod(_ flags: UInt8 = ack, _ payload: [UInt8] = [], sent: UInt32 = 0) throws -> Bool {
            let number = Self.begin &+ (flags & syn == 0 ? 1 &+ sent : 0)
            return try programs.counts("zeropod_egress", packet(flags, payload, fromPod: true, number))
        }

        /// Handshake and payload; whether the last counted. The handshake does not.
        func opens(with payload: [UInt8]) throws -> Bool {
            #expect(try !client(syn))
            #expect(try !pod(syn | ack))
            #expect(try !client())
            return try client(ack, payload)
        }
    }

    final class Programs {
        let redirector: Redirector

        init(probers: Set<UInt128> = [node4, node6], passive: Set<UInt16> = []) throws {
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: try Namespace.own(.network))
            redirector = try Redirector(pod: "one")
            try redirector.setProbers(probers)
            try redirector.declare(ports: [80], slot: 0, passive: passive)
        }

        func counts(_ program: String, _ packet: [UInt8]) throws -> Bool {
            let before = redirector.lastActivity(of: [80])
            _ = try ParsingTests.run(program, on: packet)
            return redirector.lastActivity(of: [80]) != before
        }
    }

    @Test(arguments: [false, true]) func anHTTPProbeDoesNotCount(_ isIPv6: Bool) throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs, isIPv6: isIPv6)
            #expect(try !flow.opens(with: ProbeBytes.http()))
            #expect(try !flow.pod(Self.ack, Array("HTTP/1.1 200 OK\r\n\r\n".utf8)))
            #expect(try !flow.client(Self.fin))
            #expect(try !flow.pod(Self.fin))
            let kept = try #require(programs.redirector.capturedRequests.first)
            #expect(programs.redirector.capturedRequests.count == 1)
            #expect(kept.bytes == ProbeBytes.http())
            #expect(kept.port == 80 && kept.asker == (isIPv6 ? Self.node6 : Self.node4))
        }
    }

    @Test func aTCPProbeDoesNotCount() throws {
        try inScratch {
            let flow = Flow(programs: try Programs())
            for (number, flags) in [Self.syn, Self.ack, Self.fin, 4].enumerated() {
                #expect(try !flow.client(flags), "packet \(number)")
            }
        }
    }

    @Test func aHealthCheckDoesNotCount() throws {
        try inScratch {
            let programs = try Programs()
            for (number, timeout) in ["999ms", "998765u", "1S"].enumerated() {
                let flow = Flow(programs: programs, port: UInt16(5000 + number))
                #expect(try !flow.opens(with: ProbeBytes.preface + ProbeBytes.settings))
                #expect(try !flow.client(Self.ack, ProbeBytes.acknowledgement))
                let request = ProbeBytes.headers(timeout: timeout) + ProbeBytes.data("a.service.with.a.longer.name")
                #expect(try !flow.client(Self.ack, request))
                #expect(try !flow.client(Self.ack, ProbeBytes.frame(6, 1, [0, 0, 0, 0, 0, 0, 0, 0])))
                #expect(try !flow.pod(Self.ack, [1, 2, 3]))
            }
            // The same check with another deadline is the same.
            #expect(programs.redirector.capturedRequests.count == 1)
        }
    }

    @Test func aHealthCheckMayComeInParts() throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs)
            #expect(try !flow.opens(with: ProbeBytes.preface + ProbeBytes.settings))
            #expect(try !flow.client(Self.ack, ProbeBytes.headers()))
            #expect(try !flow.client(Self.ack, ProbeBytes.data("db")))
            let request = try #require(programs.redirector.capturedRequests.first)
            #expect(request.bytes == ProbeBytes.headers() + ProbeBytes.data("db"))
            #expect(
                Question(request) == Question(ProbeBytes.captured(ProbeBytes.check("db"))))
        }
    }

    @Test(arguments: [
        ProbeBytes.http(agent: "curl/8"), Array("POST / HTTP/1.1\r\nUser-Agent: kube-probe/1\r\n\r\n".utf8),
        ProbeBytes.http("/?User-Agent: kube-probe/", agent: "curl/8"), [0x16, 3, 1, 2], [71],
        ProbeBytes.http("/" + String(repeating: "x", count: 1024)),
    ]) func otherRequestsOfTheNodeCount(_ bytes: [UInt8]) throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs)
            #expect(try flow.opens(with: bytes))
            #expect(try flow.pod(Self.ack, [1]))
            #expect(try flow.client(Self.fin))
            #expect(programs.redirector.capturedRequests.isEmpty)
        }
    }

    /// As much as `probe-buffer-size` may say. Two that are alike as far as the hash goes are one, with the last's bytes.
    @Test func aLongRequestIsKeptWhole() throws {
        try inScratch {
            let programs = try Programs()
            func request(_ letter: String) -> [UInt8] {
                ProbeBytes.http(more: "X-Long: \(String(repeating: "x", count: 1500))\(letter)\r\nX-End: of it\r\n")
            }
            for (number, letter) in ["a", "b"].enumerated() {
                let flow = Flow(programs: programs, port: UInt16(5000 + number))
                #expect(try !flow.opens(with: request(letter)))
                #expect(programs.redirector.capturedRequests.map(\.bytes) == [request(letter)])
            }
            let longer = Flow(programs: programs, port: 5002)
            #expect(try !longer.opens(with: ProbeBytes.http(more: "X: \(String(repeating: "x", count: 2048))\r\n")))
            #expect(programs.redirector.capturedRequests.count == 1)
        }
    }

    @Test func anotherRequestOnTheSameConnectionIsLookedAtAgain() throws {
        try inScratch {
            let flow = Flow(programs: try Programs())
            #expect(try !flow.opens(with: ProbeBytes.http()))
            #expect(try flow.client(Self.ack, ProbeBytes.http(agent: "curl/8")))
            #expect(try flow.client(Self.ack, [1]))
        }
    }

    @Test func othersAlwaysCount() throws {
        try inScratch {
            let flow = Flow(programs: try Programs(probers: [Self.node6]))
            #expect(try flow.client(Self.syn))
            #expect(try flow.pod(Self.syn | Self.ack))
            #expect(try flow.client(Self.ack, ProbeBytes.http()))
        }
    }

    /// Plain packets are judged by other means than all others, and alike.
    @Test(arguments: [0, 8], [false, true]) func paddingMakesNoDifference(_ padding: Int, _ isIPv6: Bool) throws {
        try inScratch {
            let programs = try Programs()
            let probe = Flow(programs: programs, port: 5001, isIPv6: isIPv6, padding: padding)
            #expect(try !probe.opens(with: ProbeBytes.http()))
            #expect(try !probe.pod(Self.ack, [1]))
            let client = Flow(programs: programs, port: 5002, isIPv6: isIPv6, padding: padding)
            #expect(try client.opens(with: ProbeBytes.http(agent: "curl/8")))
            #expect(try client.pod(Self.ack, [1]))
            #expect(try !client.client())
            #expect(try !client.pod())
            #expect(try client.client(Self.fin))
            #expect(try client.pod(4))
            #expect(try !probe.client(Self.fin))
        }
    }

    @Test func addressesThatEndAsOneOfTheNodeDoesCount() throws {
        try inScratch {
            let programs = try Programs()
            #expect(try !Flow(programs: programs).opens(with: ProbeBytes.http()))
            let other = Flow(programs: programs, network: 11)
            #expect(try other.client(Self.syn))
            #expect(try other.client(Self.ack, ProbeBytes.http()))
            #expect(try other.pod(Self.ack, [1]))
        }
    }

    @Test func connectionsThatAreOlderThanTheProgramsCount() throws {
        try inScratch {
            let flow = Flow(programs: try Programs())
            #expect(try flow.client(Self.ack, [1]))
            #expect(try flow.client(Self.ack, ProbeBytes.http()))
        }
    }

    /// Acknowledgements and keep-alive probes: the application hears nothing of them.
    @Test(arguments: [false, true]) func segmentsWithoutDataDoNotCount(_ isIPv6: Bool) throws {
        try inScratch {
            let flow = Flow(programs: try Programs(probers: []), isIPv6: isIPv6)
            #expect(try !flow.client())
            #expect(try !flow.pod())
            for flags in [Self.syn, Self.fin, 4, Self.ack | 4] { #expect(try flow.client(flags)) }
            #expect(try flow.pod(Self.syn | Self.ack))
            #expect(try flow.client(Self.ack, [0]))
        }
    }

    /// A probe by TCP of a port that nobody listens on yet: it keeps awake who has to get there.
    @Test(arguments: [false, true]) func aRefusedProbeCounts(_ isIPv6: Bool) throws {
        try inScratch {
            let flow = Flow(programs: try Programs(), isIPv6: isIPv6)
            #expect(try !flow.client(Self.syn))
            #expect(try flow.pod(Self.ack | 4))
        }
    }

    /// Whether the application waits for its client to speak, by the first connection of the node that shows it.
    @Test(arguments: [
        ([(true, "GET / "), (false, "HTTP/1.1 200 OK")], true), ([(false, "220 ready")], false),
        // A proxy closes when its client does, whoever is behind it.
        ([(true, ""), (false, "")], false), ([(true, "")], false),
        ([(false, "HTTP/2"), (true, "PRI * HTTP/2.0")], false),
    ]) func whoSpeaksFirstIsLearnt(_ said: [(isClient: Bool, text: String)], _ waits: Bool) throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs)
            #expect(try !flow.client(Self.syn))
            #expect(try !flow.pod(Self.syn | Self.ack))
            for (isClient, text) in said {
                let (flags, bytes) = (text.isEmpty ? Self.fin : Self.ack, Array(text.utf8))
                _ = isClient ? try flow.client(flags, bytes) : try flow.pod(flags, bytes)
            }
            #expect(programs.redirector.portsThatWait(among: [80]) == (waits ? [80] : []))
            // One that has once spoken first is known as such for good.
            let greeted = Flow(programs: programs, port: 5002)
            #expect(try !greeted.client(Self.syn))
            #expect(try !greeted.pod(Self.syn | Self.ack))
            _ = try greeted.pod(Self.ack, Array("220 ready".utf8))
            #expect(programs.redirector.portsThatWait(among: [80]).isEmpty)
        }
    }

    /// A server of HTTP/2 sends its settings at once, and its client does not wait for them.
    @Test func settingsOfHTTP2AreNoGreeting() throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs)
            #expect(try !flow.client(Self.syn))
            #expect(try !flow.pod(Self.syn | Self.ack))
            _ = try flow.pod(Self.ack, ProbeBytes.settings)
            #expect(try !flow.client(Self.fin))
            #expect(programs.redirector.portsThatWait(among: [80]).isEmpty)
            #expect(try !Flow(programs: programs, port: 5002).opens(with: ProbeBytes.preface + ProbeBytes.settings))
            #expect(programs.redirector.portsThatWait(among: [80]) == [80])
        }
    }

    /// What the reception does in the application's place says nothing of it.
    @Test func fromTheReceptionNothingIsLearnt() throws {
        try inScratch {
            let programs = try Programs()
            try programs.redirector.setRedirect(false, reception: true, ports: [80])
            #expect(try !Flow(programs: programs).opens(with: ProbeBytes.http()))
            #expect(programs.redirector.portsThatWait(among: [80]).isEmpty)
        }
    }

    @Test func connectionsOverTLSAreNoted() throws {
        try inScratch {
            let programs = try Programs()
            #expect(programs.redirector.lastTLS(of: [80]) == nil)
            #expect(try Flow(programs: programs).opens(with: [0x16, 3, 1, 2, 0, 1]))
            #expect(programs.redirector.lastTLS(of: [80, 81])?.port == 80)
        }
    }

    @Test func mixedProbesAreAllRemembered() throws {
        try inScratch {
            let programs = try Programs()
            let paths = (0..<20).map { "/probe\($0)" }
            for (number, path) in paths.enumerated() {
                let flow = Flow(programs: programs, port: UInt16(6000 + number))
                #expect(try !flow.opens(with: ProbeBytes.http(path)))
            }
            let kept = Set(programs.redirector.capturedRequests.map(\.bytes))
            #expect(kept == Set(paths.suffix(8).map { ProbeBytes.http($0) }))
        }
    }

    @Test func passivePortsNeverCountAndNothingIsRemembered() throws {
        try inScratch {
            let programs = try Programs(passive: [80])
            let flow = Flow(programs: programs)
            for request in [ProbeBytes.http("/metrics", agent: "Prometheus/3.0"), ProbeBytes.http()] {
                #expect(try !flow.opens(with: request))
                #expect(try !flow.pod(Self.ack, [1]))
            }
            #expect(programs.redirector.capturedRequests.isEmpty)
            #expect(programs.redirector.activePorts.isEmpty)
            // No longer passive.
            try programs.redirector.declare(ports: [80], slot: 0)
            #expect(try flow.client(Self.ack, [1]))
        }
    }
}
