import ContainerdAPI
import Glibc
import Linux
import Testing

@testable import Launch

/// `delete` as containerd calls it, in the bundle, with a stand-in for runc that writes down what it is told.
@Suite(.enabled(if: ShimProgram.canStart, "needs root")) struct DeleteTests {
    private func delete(_ program: ShimProgram) throws -> ShimProgram.Outcome {
        try Files.write(
            "#!/bin/sh\necho \"$*\" >>\(program.bundle)/calls\n", to: "\(program.bundle)/runc", mode: 0o755)
        return try program.run(
            [
                "-namespace", "test", "-address", program.containerd, "-publish-binary", "/bin/true", "-id", "c",
                "-bundle", program.bundle, "delete",
            ], environment: ["PATH": "\(program.bundle):/usr/bin:/bin"])
    }

    private func expectAnswer(_ outcome: ShimProgram.Outcome, pid: UInt32) throws {
        // containerd reads stdout as the answer, to its last byte.
        let answer = try DeleteResponse(decoding: outcome.output)
        #expect(answer.encoded() == outcome.output)
        #expect(answer.pid == pid)
        #expect(answer.exitStatus == 137)
        #expect(abs((answer.exitedAt?.seconds ?? 0) - WallClockTime.now.seconds) < 60)
        #expect(outcome.errors == "")
        #expect(outcome.status == 0)
    }

    @Test func theAnswerTellsOfAContainerThatWasKilled() throws {
        let program = try ShimProgram()
        try Files.write("4711", to: "\(program.bundle)/init.pid")
        try expectAnswer(try delete(program), pid: 4711)
        let calls = try Files.readText("\(program.bundle)/calls")
        #expect(calls.contains("--root /run/containerd/runc/test"))
        #expect(calls.hasSuffix("delete --force c\n"))
    }

    /// From 2.3 on containerd writes `bootstrap.json` for further containers of a pod, and nobody writes `address`.
    @Test(arguments: ["address", "bootstrap.json"]) func theSocketOfADeadShimGoes(_ file: String) throws {
        let program = try ShimProgram()
        let address = ShimAddress(containerd: program.containerd, namespace: "test", group: "c")
        try Files.makeDirectories(ShimAddress.directory, mode: 0o700)
        do {
            let dead = try UnixSocket.listen(address.path)
            _ = dead.rawValue
        }
        let json = #"{"version":3,"address":"\#(address.url)","protocol":"ttrpc"}"#
        try Files.write(file == "address" ? address.url : json, to: "\(program.bundle)/\(file)")
        try expectAnswer(try delete(program), pid: 0)
        #expect(!Files.exists(address.path))
    }

    /// containerd also calls this for one of several containers, after it has been restarted.
    @Test func aLivingShimKeepsItsSocket() throws {
        let program = try ShimProgram()
        let address = try program.start().text
        let pid = try program.shimPid(address)
        try expectAnswer(try delete(program), pid: 0)
        #expect(try program.shimPid(address) == pid)
    }

    @Test func aFileThatIsNoShimsSocketIsLeftAlone() throws {
        let program = try ShimProgram()
        let path = "\(program.bundle)/somebody.sock"
        do {
            let dead = try UnixSocket.listen(path)
            _ = dead.rawValue
        }
        try Files.write("unix://\(path)", to: "\(program.bundle)/address")
        try expectAnswer(try delete(program), pid: 0)
        #expect(Files.exists(path))
    }
}
