import Glibc
import Linux
import Testing

/// A container that comes by the program of the node that works on it cannot change it.
@Suite struct HeldProgramTests {
    @Test func itCannotBeWrittenThroughWhatRuns() throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-held-")
        defer { try? Files.removeTree(directory) }
        let program = "\(directory)/program"
        try Files.create(program, with: try Files.read("/bin/sleep"), mode: 0o755)
        let held = try HeldProgram(program, link: "\(directory)/link")
        let pid = try Command(held.path, ["1000"]).spawn()
        let executable = try Descriptor.open("/proc/\(pid)/exe", O_PATH)
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        // Not any more in use, it could be written to.
        for path in [held.path, "/proc/self/fd/\(executable.rawValue)"] {
            #expect(open(path, O_WRONLY) == -1 && errno == EROFS, "\(path)")
        }
        // Whoever installs it may.
        try Files.write([1], to: program)
    }
}
