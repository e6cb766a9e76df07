import Glibc
import Linux
import Runc

/// What takes a program's place while the program is not wanted yet.
extension Trial {
    private static let socketNumber: Int32 = 5

    private struct StandIn {
        let pid: pid_t
        let ended: Ending
        var socket: SharedDescriptor?
    }

    private final class Ending {
        var status: ExitStatus?
        var then: ((ExitStatus) -> Void)?
    }

    /// A stand-in for a shell script, in UTS namespace and working directory of its own choosing.
    private func standIn(_ script: String, namespaces: [Int32] = [], output: Int32, waits: Bool) throws -> StandIn {
        var ends: [Int32] = [-1, -1]
        try retrying("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        let theirs = Descriptor(owning: ends[1])
        var command = Command("/bin/sh", ["-c", script], environment: ["WORD=kept"], directory: directory)
        command.descriptors = [1: output, Self.socketNumber: theirs.rawValue]
        command.namespaces = namespaces
        let ended = Ending()
        let pid = try children.startStandIn(for: command, awaiting: waits ? Self.socketNumber : nil) { status in
            ended.status = status
            ended.then?(status)
        }
        return StandIn(pid: pid, ended: ended, socket: SharedDescriptor(Descriptor(owning: ends[0])))
    }

    private func status(of standIn: StandIn) throws -> ExitStatus {
        if let status = standIn.ended.status { return status }
        return try wait { standIn.ended.then = $0 }
    }

    private func text(_ file: borrowing Descriptor) throws -> String {
        try file.rewind()
        return String(decoding: try file.readAll(), as: UTF8.self)
    }

    /// Until it waits it is taking its place.
    private func awaitWaiting(_ pid: pid_t) throws {
        while try Files.readText("/proc/\(pid)/comm") != "stand-in\n"
            || !(try Files.readText("/proc/\(pid)/stat").contains(") S "))
        {
            usleep(500)
        }
    }

    func aStandInBecomesTheProgramWhenAByteComes() throws {
        let output = try Descriptor.memoryFile("output")
        // A process in another UTS namespace, to enter.
        let holder = try children.start(Command("/usr/bin/unshare", ["--uts", "sleep", "1000"])) { _ in }
        defer { kill(holder, SIGKILL) }
        while try Files.target(ofLink: "/proc/\(holder)/ns/uts") == Files.target(ofLink: "/proc/self/ns/uts") {
            usleep(500)
        }
        let namespace = try Namespace(.uts, of: holder)
        let script = "pwd; echo $WORD; readlink /proc/self/ns/uts; ls /proc/self/fd"
        let standIn = try standIn(
            script, namespaces: [namespace.descriptor.rawValue], output: output.rawValue, waits: true)
        try awaitWaiting(standIn.pid)
        expectEqual(try text(output), "")
        expectEqual(
            try Files.target(ofLink: "/proc/\(standIn.pid)/ns/uts"), try Files.target(ofLink: "/proc/\(holder)/ns/uts"))
        // It holds what the program will, what it waits at, a perf event, and memory of its own of a few pages: its stack and its tables.
        expectEqual(try Files.names(in: "/proc/\(standIn.pid)/fd").sorted(), ["0", "1", "2", "3", "5"])
        let resident = try Process.statusField("VmRSS", of: standIn.pid).flatMap { Int($0.prefix { $0 != " " }) }
        expect(resident.map { $0 <= 64 } ?? false, "\(resident ?? -1) kB resident")

        try standIn.socket?.descriptor.writeAll([0])
        expectEqual(try status(of: standIn), .exited(0))
        let lines = try text(output).split(separator: "\n").map(String.init)
        let expected = [
            directory, "kept", try Files.target(ofLink: "/proc/\(holder)/ns/uts"),
            "0", "1", "2", "3",
        ]
        expectEqual(lines, expected)
    }

    func aStandInEndsWithTheShim() throws {
        let output = try Descriptor.memoryFile("output")
        var standIn = try standIn("echo started", output: output.rawValue, waits: true)
        try awaitWaiting(standIn.pid)
        standIn.socket = nil
        expectEqual(try status(of: standIn), .exited(127))
        expectEqual(try text(output), "")
    }

    func aStandInThatNeedNotWaitStartsAtOnce() throws {
        let output = try Descriptor.memoryFile("output")
        let standIn = try standIn("echo started", output: output.rawValue, waits: false)
        expectEqual(try status(of: standIn), .exited(0))
        expectEqual(try text(output), "started\n")
    }

    func aStandInThatFindsNoPlaceEnds() throws {
        let output = try Descriptor.memoryFile("output")
        // Not a namespace.
        let standIn = try standIn("echo started", namespaces: [output.rawValue], output: output.rawValue, waits: true)
        expectEqual(try status(of: standIn), .exited(127))
        expectEqual(try text(output), "")
    }
}
