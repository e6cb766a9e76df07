import Glibc
import Linux
import Testing

@testable import Checkpoint

/// Room for images, as several containers of a node ask for it.
@Suite struct ReservationTests {
    private static let megabyte: UInt64 = 1 << 20

    private func withNode(_ body: (_ place: String) throws -> Void) throws {
        let place = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-reservation-")
        defer { try? Files.removeTree(place) }
        try body(place)
    }

    private func snapshot(
        _ name: String, in place: String, pod: String, ofPod: UInt64? = nil, ofNode: UInt64? = nil
    ) throws -> Snapshot {
        let rules = ImageRules(place: place, pod: pod, ofPod: ofPod, ofNode: ofNode, failedAge: 3600)
        let snapshot = Snapshot(directory: "\(place)/k8s.io/\(name)", rules: rules)
        try snapshot.makeDirectories()
        return snapshot
    }

    /// Reserved room counts before anything is written, and until it is given back.
    @Test func podsAndNodesHaveTheirShare() throws {
        try withNode { place in
            let (pod, node) = (40 * Self.megabyte, 100 * Self.megabyte)
            func snapshot(_ name: String, _ owner: String) throws -> Snapshot {
                try self.snapshot(name, in: place, pod: owner, ofPod: pod, ofNode: node)
            }
            let first = try snapshot("a", "one")
            try first.reserve(forMemory: 20 * Self.megabyte)
            let second = try snapshot("b", "one")
            #expect { try second.reserve(forMemory: 20 * Self.megabyte) } throws: {
                "\($0)".contains("too large for the pod, which may have 40 MB, of which 25 MB are taken")
            }
            for name in ["c", "d"] { try snapshot(name, name).reserve(forMemory: 30 * Self.megabyte) }
            let last = try snapshot("e", "e")
            #expect { try last.reserve(forMemory: 10 * Self.megabyte) } throws: { "\($0)".contains("for the node") }
            first.discardImages()
            try second.reserve(forMemory: 10 * Self.megabyte)
            // Its own reservation of before is not in its way.
            try second.reserve(forMemory: 10 * Self.megabyte)
        }
    }

    /// Pages that processes share since a fork are in the images of each: they may be larger than what was reserved, and no
    /// larger than what is allowed.
    @Test func imagesHoldTheLimitsAsTheyAre() throws {
        try withNode { place in
            let snapshot = try snapshot("a", in: place, pod: "one", ofPod: 6 << 20)
            try snapshot.reserve(forMemory: 0)
            try Files.create("\(snapshot.images)/pages-1.img", with: [UInt8](repeating: 1, count: 5 << 20))
            try snapshot.settle()
            #expect(try #require(Reservation(in: snapshot.directory)).bytes >= 5 << 20)
            try snapshot.reserve(forMemory: 0)
            try Files.create("\(snapshot.images)/pages-2.img", with: [UInt8](repeating: 1, count: 5 << 20))
            #expect(throws: CheckpointError.self) { try snapshot.settle() }
        }
    }

    /// A text that no limit was meant for.
    @Test func amountsDoNotTrap() throws {
        try withNode { place in
            let snapshot = try snapshot("a", in: place, pod: "one", ofPod: .max, ofNode: .max)
            #expect(throws: CheckpointError.self) { try snapshot.reserve(forMemory: .max) }
        }
    }

    @Test func failuresThatNobodyLookedAtAreRemoved() throws {
        try withNode { place in
            for (name, age) in [("old", 7200), ("young", 60)] {
                let directory = "\(place)/failed/\(name)"
                try Files.makeDirectories("\(directory)/images")
                var times = [timespec(), timespec()]
                for index in times.indices { times[index].tv_sec = time(nil) - age }
                try retrying("utimensat") { utimensat(AT_FDCWD, directory, times, 0) }
            }
            try snapshot("a", in: place, pod: "one").removeAgedFailures()
            #expect(try Files.names(in: "\(place)/failed") == ["young"])
        }
    }
}
