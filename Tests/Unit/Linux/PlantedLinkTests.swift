import Glibc
import Linux
import Testing

/// Somebody who may write into a directory puts a link where root is about to write.
@Suite struct PlantedLinkTests {
    /// A directory with a file of the host, and a link to it where `name` is to be written.
    private func withLink(at name: String, _ body: (_ directory: String) throws -> Void) throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-link-")
        defer { try? Files.removeTree(directory) }
        try Files.create("\(directory)/victim", with: "precious")
        try retrying("symlink") { symlink("\(directory)/victim", "\(directory)/\(name)") }
        try body(directory)
        #expect(try Files.readText("\(directory)/victim") == "precious")
    }

    @Test(arguments: [false, true]) func whatIsReplacedIsNotTheLinksTarget(_ durably: Bool) throws {
        try withLink(at: "file.new") { directory in
            let file = "\(directory)/file"
            if durably { try Files.replaceDurably(file, with: [1]) } else { try Files.replace(file, with: [1]) }
            #expect(try Files.read(file) == [1])
            #expect(!Files.exists("\(file).new"))
        }
    }

    @Test func whatIsCreatedTakesTheLinksPlace() throws {
        try withLink(at: "file") { directory in
            try Files.create("\(directory)/file", with: "new")
            #expect(try Files.readText("\(directory)/file") == "new")
        }
    }

    @Test func whatIsWrittenAndLockedIsNoLink() throws {
        try withLink(at: "file") { directory in
            #expect(throws: SystemError.self) { try Files.write("new", to: "\(directory)/file") }
            #expect(throws: SystemError.self) { _ = try FileLock.acquire("\(directory)/file") }
        }
    }
}
