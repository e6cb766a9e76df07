import DataPath
import Glibc
import Linux

/// The redirect with clsact filters, as kernels before 6.6 have it.
enum RedirectChecks {
    static func run(_ checks: Checks) throws {
        for family in [SocketAddress.Family.ipv4, .ipv6] {
            try check(.loopback(family, port: 80), checks)
        }
    }

    private static func check(_ address: SocketAddress, _ checks: Checks) throws {
        let name = "\(address)"
        let loop = try EventLoop()
        let pod = try makeNamespace()
        let report = try DataPathLoader.attach(pod: "pod", networkNamespace: pod)
        print("  \(report)")
        let hook: TrafficHook = KernelVersion.running < KernelVersion(6, 6) ? .clsact : .tcx
        checks.expect("\(name): attached by \(hook.rawValue)", report.hook == hook)
        let redirector = try Redirector(pod: "pod")
        let activator = try Activator(loop: loop, networkNamespace: pod) { print("  \($0)") }
        try redirector.register(activator, slot: 0)
        try redirector.declare(ports: [80], slot: 0)

        try redirector.setRedirect(true, ports: [80])
        var isHeld = false
        activator.hold { isHeld = true }
        let start = Instant.now
        let client = try connect(to: address, in: pod)
        try loop.run(until: { isHeld })
        checks.expect("\(name): a connection is held without an application", activator.waiting == 1)
        let time = try redirector.activityReader(ports: [80]).now.last
        checks.expect("\(name): its packets are noted", time.map { $0 >= start && $0 <= .now } == true)

        let listener = try listen(on: address, in: pod)
        try redirector.setRedirect(false, ports: [80])
        activator.relay()
        try loop.run(until: { activator.counters.relayed + activator.counters.refused == 1 })
        let accepted = try accept(listener)
        _ = try TCPSocket.send([1, 2, 3][...], to: client)
        var received = [UInt8](repeating: 0, count: 8)
        var count: Int?
        try loop.watch(accepted, .readable) { _ in
            count = received.withUnsafeMutableBytes { try? accepted.read(into: $0) } ?? 0
        }
        try loop.run(until: { count != nil })
        loop.unwatch(accepted.rawValue)
        checks.expect("\(name): and relayed to it", count == 3 && received.starts(with: [1, 2, 3]))

        let direct = try connect(to: address, in: pod)
        let next = try accept(listener)
        checks.expect(
            "\(name): the next one goes straight there", activator.counters.relayed == 1 && direct.rawValue >= 0)
        _ = next.rawValue
        activator.close()
        try Redirector.detach(pod: "pod", networkNamespace: pod)
        checks.expect("\(name): nothing stays pinned", !Files.exists("/sys/fs/bpf/zeropod"))
    }
}
