import CBPF
import DataPath
import Glibc
import Linux
import Testing

@Suite struct TrackerTests {
    static let tracker = "/sys/fs/bpf/zeropod/tracker"

    /// A port that no packet rule knows: only the tracker can have noted it.
    @Test(arguments: ["ipv4", "ipv6"]) func noteAcceptedConnectionsOnUndeclaredPorts(_ family: String) throws {
        try inScratch {
            let loop = try EventLoop()
            let (pod, other) = (try TestPod(1), try TestPod(2))
            let report = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            guard case .attached = report.tracker else { throw NoTracker(status: "\(report.tracker)") }
            _ = try DataPathLoader.attach(pod: "two", networkNamespace: other.network)
            let server = try TestServer(loop, in: pod, SocketAddress(ipv6: 0, port: 4711))
            let redirector = try Redirector(pod: "one")
            #expect(redirector.activePorts.isEmpty)

            let start = Instant.now
            let address = try #require(SocketAddress(family == "ipv4" ? pod.ipv4 : pod.ipv6, port: 4711))
            let client = try TestPeer.connect(loop, to: address)
            try loop.wait { client.isConnected && server.accepted.count == 1 }
            let end = Instant.now
            #expect(Array(redirector.activePorts.keys) == [4711])
            let time = try #require(redirector.lastActivity(of: [4711]))
            #expect(time >= start && time <= end)
            // The near end of an outgoing connection is no port of an application.
            #expect(try Redirector(pod: "two").activePorts.isEmpty)

            // From now on packets of the port count too, in the same map.
            client.send("more")
            try loop.wait { server.accepted[0].text == "more" }
            #expect(try #require(redirector.lastActivity(of: [4711])) > time)
        }
    }

    @Test func itIsSharedAndGoesWithTheLastPod() throws {
        try inScratch {
            let (first, second) = (try TestPod(1), try TestPod(2))
            #expect(Tracker.installed == nil)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: first.network)
            let installed = try #require(Tracker.installed)
            let before = try Self.linkID(installed)
            _ = try DataPathLoader.attach(pod: "two", networkNamespace: second.network)
            #expect(try Self.linkID(installed) == before)
            try Redirector.detach(pod: "one")
            #expect(Tracker.installed == installed)
            try Redirector.detach(pod: "two")
            #expect(!Files.exists(Self.tracker))
        }
    }

    @Test func halfAnInstallationIsReplaced() throws {
        try inScratch {
            let pod = try TestPod(1)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            let installed = try #require(Tracker.installed)
            // The link is pinned last; without it the rest does nothing.
            try sh("rm \(Self.tracker)/\(installed.rawValue)")
            #expect(Tracker.installed == nil)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            #expect(Tracker.installed == installed)
        }
    }

    static func linkID(_ kind: Tracker.Kind) throws -> UInt32 {
        let path = "\(tracker)/\(kind.rawValue)"
        let link = Descriptor(owning: try retrying("bpf_obj_get", path) { bpf_obj_get(path) })
        var information = bpf_link_info()
        var size = UInt32(MemoryLayout<bpf_link_info>.size)
        try retrying("bpf_obj_get_info_by_fd") { bpf_obj_get_info_by_fd(link.rawValue, &information, &size) }
        return information.id
    }

    struct NoTracker: Error {
        let status: String
    }
}
