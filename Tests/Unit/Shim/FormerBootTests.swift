import Glibc
import Linux
import Testing

@testable import Shim

@Suite struct FormerBootTests {
    private func inScratch(_ body: (String) throws -> Void) throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/former-boot")
        defer { try? Files.removeTree(directory) }
        for container in ["k8s.io/a/images", "k8s.io/b", "failed/c"] {
            try Files.makeDirectories("\(directory)/\(container)")
            try Files.write("x", to: "\(directory)/\(container)/pages-1.img")
        }
        try body(directory)
    }

    @Test func imagesOfAnotherBootGoOnce() throws {
        try inScratch { (directory: String) throws in
            try Files.write("one\n", to: "\(directory)/boot-id")
            let boot = try FormerBoot(snapshots: directory, bootID: "two\n")
            #expect(try boot.clean() == ["k8s.io/a", "k8s.io/b"])
            #expect(try Files.names(in: "\(directory)/k8s.io").isEmpty)
            #expect(Files.exists("\(directory)/failed/c/pages-1.img"), "these are for people")
            try Files.makeDirectories("\(directory)/k8s.io/new")
            #expect(try boot.clean() == [])
            #expect(Files.exists("\(directory)/k8s.io/new"))
        }
    }

    /// What a loss of power has left of the file that tells the boot, and what an operator has put there.
    @Test func otherFilesAreInNobodysWay() throws {
        try inScratch { (directory: String) throws in
            for file in ["boot-id", "boot-id.new", "README"] { try Files.write("one\n", to: "\(directory)/\(file)") }
            #expect(try FormerBoot(snapshots: directory, bootID: "two\n").clean() == ["k8s.io/a", "k8s.io/b"])
            #expect(try Files.names(in: directory).sorted() == ["README", "boot-id", "failed", "k8s.io"])
        }
    }

    @Test func imagesOfThisBootStay() throws {
        try inScratch { (directory: String) throws in
            try Files.write("one\n", to: "\(directory)/boot-id")
            #expect(try FormerBoot(snapshots: directory, bootID: "one\n").clean() == [])
            #expect(Files.exists("\(directory)/k8s.io/a"))
        }
    }

    /// They may be those of containers that sleep under a shim of before this was written down.
    @Test func imagesOfAnUnknownBootStay() throws {
        try inScratch { (directory: String) throws in
            #expect(try FormerBoot(snapshots: directory, bootID: "one\n").clean() == [])
            #expect(Files.exists("\(directory)/k8s.io/a"))
            #expect(try FormerBoot(snapshots: directory, bootID: "two\n").clean().count == 2)
        }
    }

    @Test func theKernelTellsItsBoot() throws {
        try inScratch { (directory: String) throws in
            #expect(try FormerBoot(snapshots: directory).clean() == [])
            #expect(try Files.readText("\(directory)/boot-id") == Files.readText("/proc/sys/kernel/random/boot_id"))
        }
    }
}
