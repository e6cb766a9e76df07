import Glibc
import Linux
import Testing

@testable import Checkpoint

/// Locks of processes that are named in images, held by the shim while the processes are away.
struct RecordLockTests {
    /// `file_lock_entry` of a POSIX lock of this process.
    private func withImages(_ kind: Int32, of number: Int32, _ body: (String) throws -> Void) throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-locks.")
        defer { try? Files.removeTree(directory) }
        var entry = try ImageFile.Message(parsing: [], path: "")
        for (field, value) in [UInt64(1), UInt64(kind), UInt64(getpid()), UInt64(number), 0, 0].enumerated() {
            entry.set(UInt64(field + 1), value: value)
        }
        try Files.write([UInt8](repeating: 0, count: 8) + entry.encodedWithSize, to: "\(directory)/filelocks.img")
        try body(directory)
    }

    @Test func aNamedPipeIsNotWaitedFor() throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-fifo.")
        defer { try? Files.removeTree(directory) }
        #expect(mkfifo("\(directory)/fifo", 0o600) == 0)
        // Nobody writes.
        let fifo = try Descriptor.open("\(directory)/fifo", O_RDONLY | O_NONBLOCK)
        try withImages(F_RDLCK, of: fifo.rawValue) { images in
            _ = try RecordLocks(takenFrom: images, of: [getpid()])
        }
    }

    @Test func aLockForWritingIsRefused() throws {
        let file = try Descriptor.open("/tmp", O_RDWR | O_TMPFILE)
        try withImages(F_WRLCK, of: file.rawValue) { images in
            let error = #expect(throws: CheckpointError.self) { try RecordLocks(takenFrom: images, of: [getpid()]) }
            #expect(error?.isRefusal == true)
        }
    }
}
