import CBPF
import DataPath
import Glibc
import Linux
import Testing

@Suite struct LoaderTests {
    static let pins = "/sys/fs/bpf/zeropod"

    /// How many programs are attached at a hook of an interface, or of a network namespace.
    static func attached(_ target: Int32, _ type: bpf_attach_type) throws -> Int {
        var flags: UInt32 = 0
        var count: UInt32 = 16
        var programs = [UInt32](repeating: 0, count: 16)
        try retrying("bpf_prog_query") { bpf_prog_query(target, type, 0, &flags, &programs, &count) }
        return Int(count)
    }

    static let (tcxIngress, tcxEgress) = (bpf_attach_type(46), bpf_attach_type(47))

    static func tcx(in pod: TestPod) throws -> [String: [Int]] {
        var counts: [String: [Int]] = [:]
        let home = try Namespace.own(.network)
        try pod.network.enter()
        defer { try? home.enter() }
        for interface in try Interface.all() {
            let index = Int32(interface.index)
            counts[interface.name] = [try attached(index, tcxIngress), try attached(index, tcxEgress)]
        }
        return counts
    }

    /// - Parameter expected: by interface, how many at ingress and at egress.
    private static func expectAttached(
        _ expected: [String: [Int]], in pod: TestPod, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let attached = try tcx(in: pod)
        #expect(attached == expected, sourceLocation: sourceLocation)
    }

    @Test func tcxLinksComeOnceAndGo() throws {
        try inScratch {
            let pod = try TestPod(1)
            for _ in 1...2 {
                let report = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
                #expect(report.hook == .tcx)
                #expect(report.interfaces.sorted() == ["eth0", "lo"])
                try Self.expectAttached(["eth0": [1, 1], "lo": [1, 1]], in: pod)
                #expect(try Self.attached(pod.network.descriptor.rawValue, BPF_SK_LOOKUP) == 1)
            }
            try Redirector.detach(pod: "one")
            try Self.expectAttached(["eth0": [0, 0], "lo": [0, 0]], in: pod)
            #expect(try Self.attached(pod.network.descriptor.rawValue, BPF_SK_LOOKUP) == 0)
            #expect(!Files.exists(Self.pins))
        }
    }

    @Test func clsactFiltersComeOnceAndGoAndLeaveThoseOfOthers() throws {
        try inScratch {
            let pod = try TestPod(1)
            let show = "for d in ingress egress; do ip netns exec pod1 tc filter show dev eth0 $d; done"
            for _ in 1...2 {
                let report = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network, hook: .clsact)
                #expect(report.hook == .clsact)
                let filters = try sh(show)
                #expect(filters.matches(of: /pref 1 bpf.*handle 0x7a70 zeropod_ingress/).count == 1, "\(filters)")
                #expect(filters.matches(of: /pref 1 bpf.*handle 0x7a70 zeropod_egress/).count == 1, "\(filters)")
                try Self.expectAttached(["eth0": [0, 0], "lo": [0, 0]], in: pod)
            }
            // The same program under another priority stands for somebody else's.
            let program = "\(Self.pins)/pods/one/zeropod_egress"
            try sh("nsenter --net=/run/netns/pod1 tc filter add dev eth0 ingress prio 7 bpf da pinned \(program)")
            try Redirector.detach(pod: "one", networkNamespace: pod.network)
            let rest = try sh(show)
            #expect(!rest.contains("zeropod_ingress"), "\(rest)")
            #expect(rest.matches(of: /handle 0x1 zeropod_egress/).count == 1, "\(rest)")
            #expect(!Files.exists(Self.pins))
        }
    }

    /// Of one priority all filters are of one kind, for one protocol.
    @Test func filtersThatHaveTheirPriorityAreNoObstacle() throws {
        try inScratch {
            let (pod, other) = (try TestPod(1), try TestPod(2))
            _ = try DataPathLoader.attach(pod: "other", networkNamespace: other.network)
            let tc = "nsenter --net=/run/netns/pod1 tc"
            let program = "\(Self.pins)/pods/other/zeropod_ingress"
            try sh("\(tc) qdisc add dev eth0 clsact")
            try sh("\(tc) filter add dev eth0 ingress prio 1 protocol ip bpf da pinned \(program)")
            for _ in 1...2 {
                _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network, hook: .clsact)
                let filters = try sh("\(tc) filter show dev eth0 ingress; \(tc) filter show dev eth0 egress")
                #expect(filters.matches(of: /pref 31344 bpf.*handle 0x7a70 zeropod_ingress/).count == 1, "\(filters)")
                #expect(filters.matches(of: /pref 1 bpf.*handle 0x7a70 zeropod_egress/).count == 1, "\(filters)")
            }
            try Redirector.detach(pod: "one", networkNamespace: pod.network)
            let rest = try sh("\(tc) filter show dev eth0 ingress; \(tc) filter show dev eth0 egress")
            #expect(rest.matches(of: /handle 0x1 zeropod_ingress/).count == 1 && !rest.contains("0x7a70"), "\(rest)")
        }
    }

    @Test func aNewInterfaceIsTakenInByAttachingAgain() throws {
        try inScratch {
            let pod = try TestPod(1)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            try Redirector(pod: "one").declare(ports: [80], slot: 3)
            try sh("ip link add other type veth peer name eth1.7 netns pod1")
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            try Self.expectAttached(["eth0": [1, 1], "eth1.7": [1, 1], "lo": [1, 1]], in: pod)
            // The maps are the same ones.
            try Redirector(pod: "one").setRedirect(true, ports: [80])

            // Interfaces that went away with their links are no obstacle.
            try sh("ip link del other && ip link add another type veth peer name eth2 netns pod1")
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            try Self.expectAttached(["eth0": [1, 1], "eth2": [1, 1], "lo": [1, 1]], in: pod)
            try Redirector.detach(pod: "one")
            #expect(!Files.exists(Self.pins))
        }
    }

    @Test func whatACrashLeftBehindIsReplaced() throws {
        try inScratch {
            let pod = try TestPod(1)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            // As if the loader had died before its last step.
            try sh("mkdir \(Self.pins)/unfinished && mv \(Self.pins)/pods/one \(Self.pins)/unfinished/one")
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            try Self.expectAttached(["eth0": [1, 1], "lo": [1, 1]], in: pod)
            #expect(try Files.names(in: Self.pins).sorted() == ["pods", "tracker"])
            try Redirector.detach(pod: "one")
            #expect(!Files.exists(Self.pins))
        }
    }

    @Test func aPodOfTheSameNameInANewNamespaceStartsAfresh() throws {
        try inScratch {
            let (first, second) = (try TestPod(1), try TestPod(2))
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: first.network)
            try Redirector(pod: "one").declare(ports: [80], slot: 0)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: second.network)
            try Self.expectAttached(["eth0": [0, 0], "lo": [0, 0]], in: first)
            try Self.expectAttached(["eth0": [1, 1], "lo": [1, 1]], in: second)
            #expect(throws: SystemError.self) { try Redirector(pod: "one").setRedirect(true, ports: [80]) }
        }
    }

    @Test func podsThatComeAndGoAtTheSameTimeDoNotDisturbEachOther() throws {
        try inScratch {
            let loop = try EventLoop()
            _ = [try TestPod(1), try TestPod(2)]
            var results: [String] = []
            for number in 1...2 {
                try loop.onThread("pod\(number)") {
                    do {
                        let network = try Namespace(.network, path: "/run/netns/pod\(number)")
                        for _ in 1...15 {
                            let report = try DataPathLoader.attach(pod: "pod\(number)", networkNamespace: network)
                            guard case .attached = report.tracker else { return "\(report.tracker)" }
                            try Redirector.detach(pod: "pod\(number)")
                        }
                        return "fine"
                    } catch {
                        return "\(error)"
                    }
                } then: {
                    results.append($0)
                }
            }
            try loop.wait { results.count == 2 }
            #expect(results == ["fine", "fine"])
            #expect(!Files.exists(Self.pins))
        }
    }

    @Test func namesWithDotsAreDifferentFromOthers() throws {
        try inScratch {
            let (first, second) = (try TestPod(1), try TestPod(2))
            _ = try DataPathLoader.attach(pod: "a.b", networkNamespace: first.network)
            _ = try DataPathLoader.attach(pod: "a_b", networkNamespace: second.network)
            try Redirector(pod: "a.b").declare(ports: [80], slot: 0)
            #expect(try Redirector(pod: "a_b").redirectedPorts == [])
            #expect(throws: SystemError.self) { try Redirector(pod: "a_b").setRedirect(true, ports: [80]) }
            try Redirector(pod: "a.b").setRedirect(true, ports: [80])
            #expect(try Redirector(pod: "a.b").redirectedPorts == [80])
        }
    }

    @Test func aMissingBPFFileSystemIsMounted() throws {
        try inScratch {
            let network = try Namespace.own(.network)
            try sh("umount /sys/fs/bpf")
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: network)
            #expect(Files.exists("\(Self.pins)/pods/one"))
        }
    }

    @Test func withoutAPlaceForItTheErrorSaysSo() throws {
        try inScratch {
            let network = try Namespace.own(.network)
            try sh("umount /sys/fs/bpf && mount -t tmpfs none /sys/fs")
            let error = #expect(throws: DataPathError.self) {
                _ = try DataPathLoader.attach(pod: "one", networkNamespace: network)
            }
            #expect(error?.description.hasPrefix("bpffs is not mounted at /sys/fs/bpf: mount") == true)
            #expect(error?.description.contains("No such file or directory") == true)
        }
    }

    @Test func detachRemovesThePinsEvenIfTheTrackerCannotBeReached() throws {
        try inScratch {
            let pod = try TestPod(1)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            try sh("rm /run/zeropod/datapath.lock && mkdir /run/zeropod/datapath.lock")
            #expect(throws: DataPathError.self) { try Redirector.detach(pod: "one") }
            #expect(!Files.exists("\(Self.pins)/pods/one"))
            try Self.expectAttached(["eth0": [0, 0], "lo": [0, 0]], in: pod)
        }
    }

    @Test func detachingNothingIsNoError() throws {
        try inScratch {
            try Redirector.detach(pod: "never")
            #expect(!Files.exists(Self.pins))
        }
    }
}
