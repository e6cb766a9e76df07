import Glibc
import Linux
import Testing

@testable import Checkpoint

/// Descriptors that are named in images, taken out of a process that stands still.
struct KeptDescriptorTests {
    /// `file_entry` with a `reg_file_entry`, as image/criu-changes/kept.c makes CRIU write it.
    private func entry(_ id: UInt8, _ name: String) -> [UInt8] {
        let file = [0x08, id, 0x10, 0x00, 0x18, 0x00, 0x32, UInt8(name.utf8.count)] + Array(name.utf8)
        let message = [0x08, 0x01, 0x10, id, 0x1a, UInt8(file.count)] + file
        return [UInt8(message.count), 0, 0, 0] + message
    }

    private func withImages(_ entries: [[UInt8]], _ body: (String) throws -> Void) throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-kept.")
        defer { try? Files.removeTree(directory) }
        let magic: [UInt8] = [0x43, 0x54, 0x56, 0x54, 0x66, 0x64, 0x65, 0x51]
        try Files.write(magic + entries.flatMap { $0 }, to: "\(directory)/files.img")
        try body(directory)
    }

    private func names(in directory: String) throws -> [String] {
        var names: [String] = []
        try ImageFile.replaceNames(in: "\(directory)/files.img") { name, _ in
            names.append(name)
            return nil
        }
        return names
    }

    @Test func whatIsKeptIsTheSameObject() throws {
        let pipe = try Descriptor.pipe()
        _ = try pipe.write.write([1, 2, 3])
        let entries = [
            entry(1, "//kept/\(getpid())/fd/\(pipe.read.rawValue)"), entry(2, "/proc/1/stat"),
            entry(3, "//kept/\(getpid())/exe"),
        ]
        try withImages(entries) { directory in
            let kept = try KeptDescriptors(takenFrom: directory)
            #expect(kept.count == 2)
            let found = try names(in: directory)
            #expect(found[1] == "/proc/1/stat")
            let number = try #require(Int32(found[0].dropFirst("//kept/".count)))
            // What is read here is gone there.
            var bytes = [UInt8](repeating: 0, count: 2)
            #expect(read(number, &bytes, 2) == 2)
            #expect(try pipe.read.read(atMost: 8) == [3])
            kept.close()
            #expect(fcntl(number, F_GETFD) == -1)
        }
    }

    @Test func whatWouldBeOpenedByItsPathIsRefused() throws {
        try withImages([entry(1, "//kept/\(getpid())/cwd"), entry(2, "/srv/data")]) { directory in
            let error = #expect(throws: CheckpointError.self) { try KeptDescriptors(takenFrom: directory) }
            #expect(error?.isRefusal == true)
            #expect(error?.description.contains("/srv/data") == true)
        }
    }

    @Test(arguments: [
        "//kept", "//kept/x/fd/1", "//kept/999999999/fd/0", "//kept/1", "kept/1/fd/1", "/kept/1/status", "/kept/1/exe",
    ])
    func namesThatAreNoneAreErrors(_ name: String) throws {
        try withImages([entry(1, name)]) { directory in
            _ = #expect(throws: CheckpointError.self) { try KeptDescriptors(takenFrom: directory) }
        }
    }

    @Test func aCutFileIsAnError() throws {
        try withImages([Array(entry(1, "/proc/1/stat").dropLast(3))]) { directory in
            _ = #expect(throws: CheckpointError.self) { try KeptDescriptors(takenFrom: directory) }
        }
    }

    @Test func namedPipesAndSocketsAreEndpoints() throws {
        var ends: [Int32] = [-1, -1]
        try retrying("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        let one = Descriptor(owning: ends[0])
        let other = Descriptor(owning: ends[1])
        let pipe = try Descriptor.pipe()
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-fifo.")
        defer { try? Files.removeTree(directory) }
        #expect(mkfifo("\(directory)/fifo", 0o600) == 0)
        let fifo = try Descriptor.open("\(directory)/fifo", O_RDWR)
        let numbers = [one.rawValue, other.rawValue, pipe.read.rawValue, fifo.rawValue]
        let entries = numbers.enumerated().map { entry(UInt8($0.offset + 1), "//kept/\(getpid())/fd/\($0.element)") }
        try withImages(entries) { directory in
            let kept = try KeptDescriptors(takenFrom: directory)
            #expect(kept.count == 4)
            #expect(kept.endpoints.count == 3)
        }
    }
}
