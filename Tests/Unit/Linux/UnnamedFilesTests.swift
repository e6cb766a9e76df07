import Glibc
import Linux
import Testing

/// What a checkpoint has to keep beside memory.
@Suite struct UnnamedFilesTests {
    @Test func memoryIsCountedAndDeletedFilesAreNot() throws {
        let before = Process.unnamedBytes(of: [getpid()])
        let path = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-unnamed-")
        defer { try? Files.removeTree(path) }
        let bytes = [UInt8](repeating: 1, count: 3 << 20)
        try Files.create("\(path)/file", with: bytes)
        let open = try Descriptor.open("\(path)/file")
        try Files.remove("\(path)/file")
        let memory = try Descriptor.memoryFile("hoard")
        try memory.writeAll(bytes)
        // Twice the same file is one.
        let again = try memory.duplicate()
        let both = Process.unnamedBytes(of: [getpid(), getpid()])
        #expect(both >= before + 3 << 20 && both < before + 6 << 20)
        withExtendedLifetime((open.rawValue, again.rawValue)) {}
    }

    /// One that is mapped only.
    @Test func mappedFilesAreCounted() throws {
        let before = Process.unnamedBytes(of: [getpid()])
        let memory = try Descriptor.memoryFile("hoard")
        try memory.writeAll([UInt8](repeating: 1, count: 3 << 20))
        let map = mmap(nil, 3 << 20, PROT_READ, MAP_SHARED, memory.rawValue, 0)
        defer { munmap(map, 3 << 20) }
        close(memory.release())
        #expect(map != MAP_FAILED)
        #expect(Process.unnamedBytes(of: [getpid()]) >= before + 3 << 20)
    }
}
