import Linux
import Testing

@testable import Checkpoint

/// Image files as CRIU writes them, cut down to what is read: inventory.img (one magic number, here 0x58313116) and
/// ids-1.img (two).
@Suite struct ImageFileTests {
    private let inventory: [UInt8] = [
        0x16, 0x31, 0x31, 0x58,  // magic
        0x08, 0x00, 0x00, 0x00,  // length of the entry
        0x08, 0x02,  // field 1, img_version: 2
        0x1a, 0x04,  // field 3, root_ids, 4 bytes:
        0x28, 0x01,  //   field 5, pid_ns_id: 1
        0x48, 0x06,  //   field 9, mnt_ns_id: 6
    ]
    private let identities: [UInt8] = [
        0x19, 0x43, 0x56, 0x54, 0x22, 0x10, 0x58, 0x55,  // two magic numbers
        0x07, 0x00, 0x00, 0x00,  // length
        0x28, 0x02,  // field 5, pid_ns_id: 2
        0x48, 0xac, 0x02,  // field 9, mnt_ns_id: 300
        0x50, 0x07,  // field 10, user_ns_id: 7
    ]

    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = "/tmp/zeropod-image-file-tests.\(Instant.now.nanoseconds)"
        try Files.makeDirectories(directory)
        defer { try? Files.removeTree(directory) }
        try body(directory)
    }

    @Test func theMountNamespaceBecomesTheInventorysAndNothingElseChanges() throws {
        try withDirectory { directory in
            try Files.write(inventory, to: "\(directory)/inventory.img")
            try Files.write(identities, to: "\(directory)/ids-1.img")
            try ImageFile.adoptKeptMountNamespace(in: directory)
            var expected = identities
            expected.replaceSubrange(14..<17, with: [0x48, 0x06])
            expected[8] = 0x06
            #expect(try Files.read("\(directory)/ids-1.img") == expected)
            // Twice is as good as once.
            try ImageFile.adoptKeptMountNamespace(in: directory)
            #expect(try Files.read("\(directory)/ids-1.img") == expected)
        }
    }

    /// cgroup.img: a set (field 1) for each kind of place that threads are in, and the controllers (field 2).
    @Test func cgroupsAreTakenOutUnlessThreadsAreInSeveral() throws {
        let header: [UInt8] = [0x19, 0x43, 0x56, 0x54, 0x30, 0x33, 0x38, 0x59]
        let (set, controller): ([UInt8], [UInt8]) = ([0x0a, 0x02, 0x08, 0x02], [0x12, 0x02, 0x0a, 0x00])
        try withDirectory { directory in
            // None is there if criu stood in the same cgroups.
            try ImageFile.leaveCgroups(in: directory)
            let path = "\(directory)/cgroup.img"
            try Files.write(header + [0x08, 0, 0, 0] + set + controller, to: path)
            try ImageFile.leaveCgroups(in: directory)
            #expect(try Files.read(path) == header + [0, 0, 0, 0])
            try ImageFile.leaveCgroups(in: directory)
            #expect(try Files.read(path) == header + [0, 0, 0, 0])

            let two = header + [0x0c, 0, 0, 0] + set + set + controller
            try Files.write(two, to: path)
            try ImageFile.leaveCgroups(in: directory)
            #expect(try Files.read(path) == two)
        }
    }

    @Test(arguments: [[], [1, 2, 3], Array(repeating: 0xff, count: 40)] as [[UInt8]])
    func whatIsNoImageIsNamed(bytes: [UInt8]) throws {
        try withDirectory { directory in
            try Files.write(inventory, to: "\(directory)/inventory.img")
            try Files.write(bytes, to: "\(directory)/ids-1.img")
            #expect {
                try ImageFile.adoptKeptMountNamespace(in: directory)
            } throws: {
                "\($0)".contains("ids-1.img")
            }
        }
    }

    @Test func onlyTheNewestFailuresAreKept() throws {
        try withDirectory { directory in
            for number in 1...5 {
                let removed = try setAside(number, in: directory, atMost: 3)
                #expect(removed.count == (number > 3 ? 1 : 0))
            }
            #expect(try Files.names(in: "\(directory)/failed").count == 3)
            #expect(try Files.names(in: "\(directory)/live").isEmpty)
        }
    }

    /// Those that are larger than allowed alone are kept as long as they are the newest.
    @Test func failuresAreKeptUpToASize() throws {
        try withDirectory { directory throws in
            #expect(try setAside(1, in: directory, bytes: 1) == [])
            #expect(try setAside(2, in: directory, bytes: 1) == ["1"])
            #expect(try setAside(3, in: directory) == [])
            #expect(try Set(Files.names(in: "\(directory)/failed")) == ["2", "3"])
        }
    }

    private func setAside(
        _ number: Int, in directory: String, atMost limit: Int = 8, bytes: UInt64 = 1 << 30
    ) throws -> [String] {
        let snapshot = Snapshot(directory: "\(directory)/live/\(number)")
        try Files.makeDirectories(snapshot.images)
        try Files.write([UInt8](repeating: 1, count: 10_000), to: "\(snapshot.images)/pages-1.img")
        let (place, removed) = try snapshot.setAside(
            in: "\(directory)/failed", as: "\(number)", atMost: limit, bytes: bytes)
        #expect(place == "\(directory)/failed/\(number)")
        return removed
    }
}
