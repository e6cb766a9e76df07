import ContainerdAPI
import Linux
import Testing

@testable import TaskService

/// What the kernel writes into the files of a cgroup, given as a directory.
@Suite struct CgroupReadingTests {
    private func withFiles(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-cgroup-")
        defer { try? Files.removeTree(directory) }
        for (name, text) in files { try Files.write(text, to: "\(directory)/\(name)") }
        try body(directory)
    }

    @Test func pressureDevicesAndHugePagesOfVersion2() throws {
        let files = [
            "cpu.stat": "usage_usec 7\nnr_bursts 2\n",
            "cpu.pressure": "some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\n",
            "memory.stat": "anon 4096\nworkingset_refault_anon 3\nworkingset_refault_file 4\npgscan 5\n",
            "memory.pressure":
                "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=8\n",
            "memory.swap.peak": "8192\n",
            "io.stat": "8:0 rbytes=4096 wbytes=512 rios=1 wios=2 dbytes=0 dios=0\n254:16\n",
            "hugetlb.2MB.current": "2097152\n", "hugetlb.2MB.max": "max\n", "hugetlb.2MB.events": "max 3\n",
            "hugetlb.2MB.rsvd.current": "0\n",
        ]
        try withFiles(files) { directory in
            let metrics = CgroupReading(Cgroup(directories: ["": directory])).unified
            #expect(metrics.cpu?.psi?.some?.avg10 == 1.5 && metrics.cpu?.psi?.some?.total == 1234)
            #expect(metrics.cpu?.psi?.full == nil && metrics.cpu?.nrBursts == 2)
            #expect(metrics.memory?.workingsetRefault == 7 && metrics.memory?.pgscan == 5)
            #expect(metrics.memory?.psi?.full?.total == 8 && metrics.memory?.swapMaxUsage == 8192)
            #expect(metrics.io?.psi == nil, "the kernel does not account for it")
            let devices = metrics.io?.usage ?? []
            #expect(devices.map(\.major) == [8, 254] && devices.map(\.minor) == [0, 16])
            #expect(devices.map(\.rbytes) == [4096, 0] && devices.map(\.wios) == [2, 0])
            #expect(metrics.hugetlb.map(\.pagesize) == ["2MB"])
            #expect(metrics.hugetlb.first?.current == 2 << 20 && metrics.hugetlb.first?.failcnt == 3)
        }
    }

    @Test func hugePagesOfVersion1() throws {
        let files = [
            "hugetlb.1GB.usage_in_bytes": "0\n", "hugetlb.2MB.usage_in_bytes": "4194304\n",
            "hugetlb.2MB.max_usage_in_bytes": "6291456\n", "hugetlb.2MB.failcnt": "1\n",
        ]
        try withFiles(files) { directory in
            let pages = CgroupReading(Cgroup(directories: ["hugetlb": directory])).legacy.hugetlb
            #expect(pages.map(\.pagesize) == ["1GB", "2MB"] && pages.map(\.usage) == [0, 4 << 20])
            #expect(pages.map(\.max) == [0, 6 << 20] && pages.map(\.failcnt) == [0, 1])
        }
    }
}
