import Linux
import Testing

@testable import StdIO

@Suite struct StreamPathsTests {
    @Test func addressesAreUnderstood() throws {
        #expect(try OutputTarget("") == .none)
        #expect(try OutputTarget("/run/containerd/fifo/1/c-stdout") == .path("/run/containerd/fifo/1/c-stdout"))
        #expect(try OutputTarget("fifo:///run/f") == .path("/run/f"))
        #expect(try OutputTarget("file:///var/log/a%20b.log") == .file("/var/log/a b.log"))
        guard case .logger(let logger) = try OutputTarget("binary:///usr/bin/log?id=a+b&flag&id=again") else {
            Issue.record("no logger")
            return
        }
        #expect(logger.program == "/usr/bin/log")
        #expect(logger.arguments == ["id", "a b", "flag", ""])
        #expect(!logger.mustAnnounce)
    }

    @Test func anUnknownSchemeIsAnErrorThatNamesIt() {
        let error = #expect(throws: SystemError.self) { try OutputTarget("tcp://host/x") }
        #expect(error?.subject == "tcp://host/x")
    }

    @Test func filesAndLoggersTakeStderrToo() throws {
        let file = try OutputTarget.pair(StreamPaths(stdout: "file:///a"))
        #expect(file.stderr == .file("/a"))
        let two = try OutputTarget.pair(StreamPaths(stdout: "file:///a", stderr: "file:///b"))
        #expect(two.stderr == .file("/b"))
        let fifo = try OutputTarget.pair(StreamPaths(stdout: "/a"))
        #expect(fifo.stderr == .none)
    }
}
