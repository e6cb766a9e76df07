import CLinux
import ContainerdAPI
import Glibc
import Linux
import Protobuf
import Shim
import Testing

@testable import Launch

/// `start` as each generation of containerd calls it, with the real program.
@Suite(.enabled(if: ShimProgram.canStart, "needs root")) struct StartTests {
    private func expected(_ program: ShimProgram, group: String = "c") -> String {
        ShimAddress(containerd: program.containerd, namespace: "test", group: group).url
    }

    /// A shim serves there, in both versions of the service, and goes when it is told to.
    private func expectService(_ program: ShimProgram, at address: String) throws {
        let pid = try program.shimPid(address, service: "containerd.task.v2.Task")
        #expect(try program.shimPid(address, service: "containerd.task.v3.Task") == pid)
        #expect(try Files.readText("\(program.bundle)/address") == address)
        try program.shutDown(address)
        try expectEnd(of: pid)
        #expect(!Files.exists(UnixSocket.path(ofAddress: address)))
    }

    private func expectEnd(of pid: pid_t) throws {
        let number = zp_pidfd_open(pid)
        if number == -ESRCH { return }
        let process = Descriptor(owning: try checking("pidfd_open", "\(pid)", number))
        #expect(try process.isReadable(before: .now + .seconds(60)), "\(pid) goes on")
    }

    @Test(arguments: [
        (nil, "ADDRESS"), ("1", "ADDRESS"), ("2", #"{"version":2,"address":"ADDRESS","protocol":"ttrpc"}"#),
        ("3", #"{"version":3,"address":"ADDRESS","protocol":"ttrpc"}"#),
        ("9", #"{"version":3,"address":"ADDRESS","protocol":"ttrpc"}"#),
    ])
    func theAnswerIsOneThatTheCallerUnderstands(_ maxVersion: String?, _ answer: String) throws {
        let program = try ShimProgram()
        let outcome = try program.start(environment: maxVersion.map { ["MAX_SHIM_VERSION": $0] } ?? [:])
        let address = expected(program)
        // What is told over stderr would stand in the answer.
        #expect(outcome.errors == "")
        let parts = answer.split(separator: "ADDRESS", omittingEmptySubsequences: false)
        #expect(outcome.text == parts.joined(separator: address))
        try expectService(program, at: address)
    }

    @Test func parametersInProtobufAreAnsweredInProtobuf() throws {
        let program = try ShimProgram()
        let directory = "\(program.bundle)/sockets"
        let params = BootstrapParams {
            $0.instanceID = "c"
            $0.namespace = "test"
            $0.logLevel = -4
            $0.ttrpcAddress = "/run/elsewhere.ttrpc"
            $0.grpcAddress = "/run/elsewhere"
            $0.socketDirectory = directory
            $0.extensions = [BootstrapExtension { $0.value = AnyMessage(packing: RuncOptions { $0.root = "/r" }) }]
        }
        let environment = ["MAX_SHIM_VERSION": "2", "TTRPC_ADDRESS": "/run/not-this.ttrpc"]
        let outcome = try program.start(input: .bytes(params.encoded()), environment: environment)
        #expect(outcome.errors == "")
        let result = try BootstrapResult(decoding: outcome.output)
        let address = ShimAddress(containerd: "/run/elsewhere", namespace: "test", group: "c", in: directory)
        #expect(result.version == 3)
        #expect(result.transport == "ttrpc")
        #expect(result.address == address.url)
        let pid = try program.shimPid(result.address)
        let arguments = try Files.readText("/proc/\(pid)/cmdline").split(separator: "\0")
        #expect(arguments.dropFirst() == ["-namespace", "test", "-id", "c", "-address", "/run/elsewhere", "-debug"])
        let variables = try Files.readText("/proc/\(pid)/environ").split(separator: "\0")
        #expect(variables.filter { $0.hasPrefix("TTRPC_ADDRESS=") } == ["TTRPC_ADDRESS=/run/elsewhere.ttrpc"])
        try expectService(program, at: result.address)
    }

    static let options = AnyMessage(packing: RuncOptions { $0.root = "/r" }).encoded()
    static let generic = AnyMessage(packing: RuntimeOptions { $0.configBody = Array("Root = '/r'".utf8) }).encoded()

    @Test(arguments: [
        ShimProgram.Input.bytes([]), .closed, .terminal, .unfinished([]), .bytes(options), .bytes(generic),
    ])
    func whateverStandardInputIsItStarts(_ input: ShimProgram.Input) throws {
        let program = try ShimProgram()
        let outcome = try program.start(input: input)
        #expect(outcome.text == expected(program))
        #expect(outcome.errors == "")
        try expectService(program, at: outcome.text)
    }

    @Test(arguments: [
        (ShimProgram.Input.bytes([0xff]), "google.protobuf.Any"),
        (.bytes(AnyMessage(typeURL: "some.Options", value: []).encoded()), "some.Options"),
        (.bytes(AnyMessage(packing: RuntimeOptions { $0.configPath = "/no/such" }).encoded()), "/no/such"),
        (.long(10 << 20 | 1), "10485760"), (.unfinished(options), "timed out"),
    ])
    func anInputThatIsWrongIsNamedAndNothingIsLeft(_ input: ShimProgram.Input, _ words: String) throws {
        let program = try ShimProgram()
        let outcome = try program.start(input: input)
        #expect(outcome.status == 1)
        #expect(outcome.output == [])
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(!Files.exists(UnixSocket.path(ofAddress: expected(program))))
    }

    /// Not every kernel has core scheduling; then a start that asks for it says so, as the stock shim's does.
    @Test func coreSchedulingIsAskedForOrMissed() throws {
        let program = try ShimProgram()
        let outcome = try program.start(environment: ["SCHED_CORE": "1"])
        if outcome.status == 0 {
            try expectService(program, at: outcome.text)
        } else {
            #expect(outcome.errors.contains("prctl(PR_SCHED_CORE)"), "\(outcome.errors)")
            #expect(!Files.exists(UnixSocket.path(ofAddress: expected(program))))
        }
    }

    /// As systemd ends it when a node goes down.
    @Test func aSignalEndsItInOrder() throws {
        let program = try ShimProgram()
        let address = try program.start().text
        let pid = try program.shimPid(address)
        try Process.signal(SIGTERM, to: pid)
        try expectEnd(of: pid)
        #expect(!Files.exists(UnixSocket.path(ofAddress: address)))
    }

    @Test func aGroupSharesAShim() throws {
        let program = try ShimProgram(annotations: [
            "io.kubernetes.cri.sandbox-id": "pod", "io.containerd.runc.v2.group": "several",
        ])
        let first = try program.start(id: "a").text
        #expect(first == expected(program, group: "group//several"))
        let pid = try program.shimPid(first)
        #expect(try program.start(id: "b").text == first)
        #expect(try program.shimPid(first) == pid)
        try expectService(program, at: first)
        let pod = try ShimProgram(annotations: ["io.kubernetes.cri.sandbox-id": "pod"])
        let second = try pod.start(id: "a").text
        #expect(second == expected(pod, group: "pod"))
        try expectService(pod, at: second)
    }

    /// A name that a tenant chooses: another namespace's group of that name, or another pod's id, is not meant.
    @Test func aGroupIsOfOneNamespace() throws {
        func group(_ name: String?, in namespace: String, _ policy: NodePolicy = NodePolicy()) throws -> String {
            var annotations = ["io.kubernetes.cri.sandbox-id": "pod", "io.kubernetes.cri.sandbox-namespace": namespace]
            annotations["io.containerd.runc.v2.group"] = name
            let program = try ShimProgram(annotations: annotations)
            return try ShimGroup.name(ofBundle: program.bundle, container: "c", policy)
        }
        #expect(try group("several", in: "a") == group("several", in: "a"))
        #expect(try group("several", in: "a") != group("several", in: "b"))
        #expect(try group("pod", in: "a") != group(nil, in: "a"))
        #expect(try group(nil, in: "a") == "pod" && group("", in: "a") == "pod")
        var policy = NodePolicy()
        policy.groups = false
        #expect(try group("several", in: "a", policy) == "pod")
    }

    /// Many at once, over the socket of a shim that has died: one of them makes the new one.
    @Test func theSocketOfADeadShimIsTakenOverByOne() async throws {
        let program = try ShimProgram()
        let path = UnixSocket.path(ofAddress: expected(program))
        try Files.makeDirectories(ShimAddress.directory, mode: 0o700)
        do {
            let dead = try UnixSocket.listen(path)
            _ = dead.rawValue
        }
        let before = Self.shims(of: program)
        let script = "for i in 1 2 3 4 5 6; do \"$@\" & done; wait"
        let outcome = try program.start(prefix: ["/bin/sh", "-c", script, "sh"])
        #expect(outcome.text == [String](repeating: "unix://\(path)", count: 6).joined())
        #expect(before == [])
        #expect(Self.shims(of: program) == [try program.shimPid("unix://\(path)")])
        try expectService(program, at: "unix://\(path)")
    }

    private static func shims(of program: ShimProgram) -> [pid_t] {
        ((try? Files.names(in: "/proc")) ?? []).compactMap { pid_t($0) }.filter { pid in
            let line = (try? Files.readText("/proc/\(pid)/cmdline")) ?? ""
            return line.contains(program.containerd) && line.contains("shim-zeropod") && !line.contains("start")
        }
    }

    /// Its queue is full and nobody accepts: it is alive all the same.
    @Test func aBusyShimIsNotReplacedAndNotWaitedFor() throws {
        let program = try ShimProgram()
        let path = UnixSocket.path(ofAddress: expected(program))
        try Files.makeDirectories(ShimAddress.directory, mode: 0o700)
        let listener = try UnixSocket.listen(path, backlog: 0)
        defer { try? Files.remove(path) }
        let waiting = try UnixSocket.connect(path, nonBlocking: true)
        #expect(throws: SystemError.self) { _ = try UnixSocket.connect(path, nonBlocking: true).rawValue }
        #expect(
            try program.run(["-namespace", "test", "-address", program.containerd, "-id", "c", "start"]).text
                == "unix://\(path)")
        _ = (listener.rawValue, waiting.rawValue)
    }

    @Test func aSocketsPathThatIsTooLongIsAnError() throws {
        let program = try ShimProgram()
        let params = BootstrapParams {
            $0.instanceID = "c"
            $0.namespace = "test"
            $0.socketDirectory = "\(program.bundle)/\(String(repeating: "d", count: 60))"
        }
        let outcome = try program.start(input: .bytes(params.encoded()))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("dddd") && outcome.errors.contains("too long"), "\(outcome.errors)")
    }

    @Test func theKernelPrefersTheShimToItsParent() throws {
        let program = try ShimProgram()
        let script = "echo 100 >/proc/self/oom_score_adj; \"$@\""
        let address = try program.start(prefix: ["/bin/sh", "-c", script, "sh"]).text
        let score = try Files.readText("/proc/\(try program.shimPid(address))/oom_score_adj")
        #expect(score == "101\n")
    }

    @Test func theShimJoinsItsCgroup() throws {
        let mounts = try MountTable(of: getpid()).mounts
        let kind = mounts.contains { $0.fileSystem == "cgroup" } ? "cgroup" : "cgroup2"
        // One hierarchy is enough, and has no cpus or memory nodes to be given first.
        let mount = try #require(mounts.first { $0.fileSystem == kind && !$0.point.contains("cpuset") })
        let name = "zeropod-test-\(getpid())"
        let directory = "\(mount.point)/\(name)"
        try Files.makeDirectories(directory)
        let program = try ShimProgram()
        let options = AnyMessage(packing: RuncOptions { $0.shimCgroup = "/\(name)" })
        let address = try program.start(input: .bytes(options.encoded())).text
        let pid = try program.shimPid(address)
        #expect(try Files.readText("\(directory)/cgroup.procs") == "\(pid)\n")
        try expectService(program, at: address)
        try Files.removeEmptyDirectory(directory)

        let outcome = try program.start(input: .bytes(options.encoded()))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("/\(name): No such file"), "\(outcome.errors)")
        #expect(!Files.exists(UnixSocket.path(ofAddress: address)))
        for pid in Self.shims(of: program) { try expectEnd(of: pid) }
    }
}
