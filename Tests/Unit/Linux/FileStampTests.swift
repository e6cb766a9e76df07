import Foundation
import Testing

@testable import Linux

struct FileStampTests {
    @Test func anotherFileAtThePathIsNoticed() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "stamp-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (path, next) = (directory.appending(path: "criu").path(), directory.appending(path: "next").path())
        #expect(FileStamp(path) == nil)
        try Files.write("one", to: path)
        let first = try #require(FileStamp(path))
        #expect(FileStamp(path) == first)
        // As an upgrade does it.
        try Files.write("two", to: next)
        try #require(rename(next, path) == 0)
        #expect(FileStamp(path) != first)
    }
}
