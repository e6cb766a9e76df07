import Glibc

extension Files {
    /// As `replace`, and on the disk when it returns: after a loss of power, too, there is the old content or the new.
    package static func replaceDurably(_ path: String, with bytes: [UInt8], mode: mode_t = 0o644) throws(SystemError) {
        let temporary = path + ".new"
        do throws(SystemError) {
            let file = try create(temporary, mode: mode)
            try file.writeAll(bytes)
            try retrying("fchmod", temporary) { fchmod(file.rawValue, mode) }
            try retrying("fsync", temporary) { fsync(file.rawValue) }
            try retrying("rename", path) { rename(temporary, path) }
        } catch {
            // On a disk that is full the half of a file would only make it fuller.
            try? remove(temporary)
            throw error
        }
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let directory = try Descriptor.open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY)
        try retrying("fsync", parent) { fsync(directory.rawValue) }
    }
}
