import Linux
import Testing

@Suite struct CgroupRoomTests {
    private func withGroups(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let top = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-room-")
        defer { try? Files.removeTree(top) }
        try Files.makeDirectories("\(top)/pod/container", mode: 0o700)
        for (name, text) in files { try Files.write(text, to: "\(top)/\(name)") }
        try body("\(top)/pod/container")
    }

    @Test func theTightestParentCounts() throws {
        let files = [
            "memory.max": "1000\n", "memory.current": "700\n", "memory.stat": "anon 1\ninactive_file 50\n",
            "pod/memory.max": "500\n", "pod/memory.current": "100\n",
            "pod/container/memory.max": "10\n", "pod/container/memory.current": "10\n",
        ]
        try withGroups(files) { #expect(Cgroup(directories: ["": $0]).memoryLeftByParents == 350) }
        try withGroups(files.merging(["pod/memory.current": "600\n"]) { $1 }) {
            #expect(Cgroup(directories: ["": $0]).memoryLeftByParents == 0)
        }
        try withGroups(["pod/memory.max": "max\n", "pod/memory.current": "100\n"]) {
            #expect(Cgroup(directories: ["": $0]).memoryLeftByParents == .max)
        }
    }

    @Test func v1HasOtherNames() throws {
        let files = [
            "pod/memory.limit_in_bytes": "500\n", "pod/memory.usage_in_bytes": "480\n",
            "pod/memory.stat": "inactive_file 1\ntotal_inactive_file 100\n",
            "memory.limit_in_bytes": "9223372036854771712\n", "memory.usage_in_bytes": "1\n",
        ]
        try withGroups(files) { #expect(Cgroup(directories: ["memory": $0]).memoryLeftByParents == 120) }
        #expect(Cgroup(directories: ["cpu": "/nowhere"]).memoryLeftByParents == .max)
    }
}
