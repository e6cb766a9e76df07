import DataPath
import Glibc
import Linux

/// The kretprobe: what it notes, when, and for whom.
enum TrackerChecks {
    static func run(_ checks: Checks) throws {
        let pod = try makeNamespace()
        let neighbour = try makeNamespace()
        let stranger = try makeNamespace()
        let report = try DataPathLoader.attach(pod: "pod", networkNamespace: pod)
        print("  \(report)")
        checks.expect("the kretprobe is attached", Tracker.installed == .kretprobe, "\(report.tracker)")
        let iterates = if case .installed = report.tasks { true } else { false }
        checks.expect("what /proc does not show can be found", iterates, "\(report.tasks)")
        let loss = try TaskIterator.loss(of: [getpid()])
        checks.expect("who has nothing that is lost is not named", loss == nil, loss ?? "")
        _ = try DataPathLoader.attach(pod: "neighbour", networkNamespace: neighbour)
        let redirector = try Redirector(pod: "pod")
        checks.expect("nothing is noted yet", redirector.activePorts.isEmpty)

        for (name, address) in [
            ("IPv4", SocketAddress.loopback(.ipv4, port: 4711)), ("IPv6", .loopback(.ipv6, port: 4712)),
        ] {
            try check(name, address, in: pod, redirector, checks)
        }
        checks.expect("both ports are noted", redirector.activePorts.keys.sorted() == [4711, 4712])
        try checkBlockingAccept(in: pod, redirector, checks)

        try acceptOne(.loopback(.ipv4, port: 4713), in: stranger)
        try acceptOne(.loopback(.ipv6, port: 4713), in: stranger)
        checks.expect("accepts in a namespace of nobody are not noted", redirector.activePorts[4713] == nil)
        try acceptOne(.loopback(.ipv4, port: 4713), in: neighbour)
        checks.expect("nor those of a neighbour", redirector.activePorts[4713] == nil)
        let others = try Redirector(pod: "neighbour").activePorts.keys.sorted()
        checks.expect("each pod has its own", others == [4713], "\(others)")

        try Redirector.detach(pod: "pod", networkNamespace: pod)
        checks.expect("the tracker stays for the other pod", Tracker.installed == .kretprobe)
        try Redirector.detach(pod: "neighbour", networkNamespace: neighbour)
        checks.expect("nothing stays pinned", !Files.exists("/sys/fs/bpf/zeropod"))
    }

    private static func check(
        _ name: String, _ address: SocketAddress, in namespace: borrowing Namespace, _ redirector: Redirector,
        _ checks: Checks
    ) throws {
        let listener = try listen(on: address, in: namespace)
        let client = try connect(to: address, in: namespace)
        try wait(for: listener, Int16(POLLIN))
        checks.expect("\(name): a connection that waits is not noted", redirector.activePorts[address.port] == nil)
        let start = Instant.now
        let accepted = try accept(listener)
        let end = Instant.now
        let time = redirector.activePorts[address.port]
        checks.expect("\(name): accepting it is noted under its port", time != nil)
        if let time {
            checks.expect(
                "\(name): with the time of the accept", start <= time && time <= end, "\(start) \(time) \(end)")
        }
        _ = (client.rawValue, accepted.rawValue)
    }

    /// A thread that sleeps in accept: the probe fires when it returns.
    private static func checkBlockingAccept(
        in namespace: borrowing Namespace, _ redirector: Redirector, _ checks: Checks
    ) throws {
        let address = SocketAddress.loopback(.ipv4, port: 4714)
        let listener = try listen(on: address, in: namespace)
        try listener.setNonBlocking(false)
        let done = try Descriptor.pipe()
        let (number, write) = (listener.rawValue, done.write.rawValue)
        try Thread.start("accept") {
            var result = UInt8(Glibc.accept(number, __SOCKADDR_ARG(__sockaddr__: nil), nil) < 0 ? 1 : 0)
            _ = Glibc.write(write, &result, 1)
        }
        let start = Instant.now
        let client = try connect(to: address, in: namespace)
        var result = [UInt8](repeating: 1, count: 1)
        _ = try result.withUnsafeMutableBytes { try done.read.read(into: $0) }
        let time = redirector.activePorts[address.port]
        checks.expect(
            "a blocking accept is noted too", result == [0] && time.map { $0 >= start && $0 <= .now } == true)
        _ = client.rawValue
    }

    private static func acceptOne(_ address: SocketAddress, in namespace: borrowing Namespace) throws {
        let listener = try listen(on: address, in: namespace)
        let client = try connect(to: address, in: namespace)
        let accepted = try accept(listener)
        _ = (client.rawValue, accepted.rawValue)
    }
}
