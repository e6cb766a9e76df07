import Glibc
import Linux
import Testing

/// Runs a test in mount and network namespaces of its own, with a BPF file system at /sys/fs/bpf and an empty /run.
/// Whatever the test leaves behind is gone with them, also when it crashes.
func inScratch(_ body: () throws -> Void) throws {
    let mounts = try Namespace.own(.mount)
    let network = try Namespace.own(.network)
    try retrying("unshare") { unshare(CLONE_NEWNS | CLONE_NEWNET) }
    defer {
        do {
            // A thread that the test started may still be ending, and share the working directory with this one:
            // setns refuses that.
            try retrying("unshare") { unshare(CLONE_FS) }
            try mounts.enter()
            try network.enter()
        } catch { Process.abort("cannot leave the scratch namespaces: \(error)") }
    }
    try retrying("mount", "/") { mount("", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) }
    try retrying("mount", "/sys/fs/bpf") { mount("bpf", "/sys/fs/bpf", "bpf", 0, nil) }
    try retrying("mount", "/run") { mount("tmpfs", "/run", "tmpfs", 0, nil) }
    try sh("ip link set lo up")
    try body()
}

/// Runs a shell command in the namespaces of the calling thread. Throws unless it succeeds.
@discardableResult
func sh(_ command: String) throws -> String {
    var ends: [Int32] = [0, 0]
    try retrying("pipe2") { pipe2(&ends, O_CLOEXEC) }
    let read = Descriptor(owning: ends[0])
    var write: Descriptor? = Descriptor(owning: ends[1])
    var request = Command("/bin/sh", ["-c", "exec 2>&1; \(command)"])
    request.descriptors = [1: ends[1]]
    let pid = try request.spawn()
    write = nil
    let output = String(decoding: try read.readAll(), as: UTF8.self)
    _ = consume write
    var status: Int32 = 0
    try retrying("waitpid") { waitpid(pid, &status, 0) }
    if status != 0 { throw CommandFailure(command: command, status: status, output: output) }
    return output
}

struct CommandFailure: Error {
    let command: String
    let status: Int32
    let output: String
}

/// A network namespace joined to the scratch one by a veth pair: 10.99.N.1 outside, 10.99.N.2 on its eth0, and
/// fd99:N::1 and ::2.
final class TestPod {
    let name: String
    let number: Int
    let network: Namespace

    var ipv4: String { "10.99.\(number).2" }
    var ipv6: String { "fd99:\(number)::2" }

    init(_ number: Int) throws {
        self.number = number
        name = "pod\(number)"
        try sh(
            """
            set -e
            ip netns add \(name)
            ip link add veth\(number) type veth peer name eth0 netns \(name)
            ip addr add 10.99.\(number).1/24 dev veth\(number)
            ip addr add fd99:\(number)::1/64 dev veth\(number) nodad
            ip link set veth\(number) up
            ip -n \(name) addr add 10.99.\(number).2/24 dev eth0
            ip -n \(name) addr add fd99:\(number)::2/64 dev eth0 nodad
            ip -n \(name) link set eth0 up
            ip -n \(name) link set lo up
            ip -n \(name) route add default via 10.99.\(number).1
            ip -n \(name) -6 route add default via fd99:\(number)::1
            """)
        network = try Namespace(.network, path: "/run/netns/\(name)")
    }
}
