import Linux
import Testing

@testable import Checkpoint

/// What a sleep lowers of a container's part of a busy processor comes back at the wake.
@Suite struct ProcessorSharesTests {
    private struct Place {
        let pod: String
        let container: String
        let file: String

        init(_ file: String) throws {
            pod = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-shares-")
            container = "\(pod)/container"
            self.file = file
            try Files.makeDirectories(container, mode: 0o700)
        }

        func set(pod podShares: Int, container shares: Int) throws {
            for (directory, value) in [(pod, podShares), (container, shares)] {
                try Files.write("\(value)\n", to: "\(directory)/\(file)")
            }
        }

        func values() throws -> [Int?] {
            try [pod, container].map { Int(try Files.readText("\($0)/\(file)").filter { !$0.isWhitespace }) }
        }
    }

    @Test(arguments: [("cpu", "cpu.shares"), ("", "cpu.weight")]) func whatWasLoweredIsRaised(
        _ controller: String, _ file: String
    ) throws {
        let place = try Place(file)
        defer { try? Files.removeTree(place.pod) }
        try place.set(pod: 600, container: 500)
        let shares = ProcessorShares(of: Cgroup(directories: [controller: place.container]))
        #expect(!shares.giveBack())
        try place.set(pod: 102, container: 2)
        #expect(shares.giveBack())
        #expect(try place.values() == [600, 500])
        // Somebody has given it more meanwhile.
        try place.set(pod: 900, container: 800)
        #expect(!shares.giveBack())
        #expect(try place.values() == [900, 800])
    }

    @Test func withoutTheControllerNothingIsDone() throws {
        #expect(!ProcessorShares(of: Cgroup(directories: ["pids": "/nowhere"])).giveBack())
        #expect(!ProcessorShares(of: Cgroup(directories: ["cpu": "/nowhere/at/all"])).giveBack())
    }
}
