import Glibc
import Testing

@testable import Linux

/// Which processes a control group has, of directories that look like some.
@Suite struct CgroupTests {
    private func withGroup(_ body: (_ directory: String, _ group: Cgroup) throws -> Void) throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-cgroup-")
        defer { try? Files.removeTree(directory) }
        try body(directory, Cgroup(directories: ["": directory]))
    }

    @Test func processesBelowAreItsOwn() throws {
        try withGroup { directory, group in
            try Files.write("1\n2\n", to: "\(directory)/cgroup.procs")
            try Files.makeDirectories("\(directory)/inner", mode: 0o755)
            try Files.write("3\n", to: "\(directory)/inner/cgroup.procs")
            #expect(try group.processes() == [1, 2, 3])
        }
    }

    @Test func oneThatIsGoneHasNone() throws {
        try withGroup { directory, _ in
            let pids = try Cgroup(directories: ["": "\(directory)/gone"]).processes()
            #expect(pids == [])
        }
    }

    /// Somebody would take the container for one that listens nowhere, has no sockets and holds nothing.
    @Test func oneThatCannotBeReadIsNotEmpty() throws {
        try withGroup { directory, group in
            try Files.makeDirectories("\(directory)/cgroup.procs", mode: 0o755)
            #expect(throws: SystemError.self) { try group.processes() }
        }
        try withGroup { directory, group in
            try Files.write("1\n", to: "\(directory)/cgroup.procs")
            try Files.makeDirectories("\(directory)/inner/cgroup.procs", mode: 0o755)
            #expect(throws: SystemError.self) { try group.processes() }
        }
        #expect(throws: SystemError.self) { try Cgroup(directories: [:]).processes() }
    }
}
