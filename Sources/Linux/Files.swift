import CLinux
import Glibc

/// Files and directories, by path.
package enum Files {
    /// The whole file, at most `limit` bytes.
    package static func read(_ path: String, limit: Int = 16 << 20) throws(SystemError) -> [UInt8] {
        try Descriptor.open(path).readAll(limit: limit)
    }

    /// The whole file as text; bytes that are not UTF-8 are replaced.
    package static func readText(_ path: String) throws(SystemError) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// Writes over a file that is there, such as those of /proc and of cgroups. `create` is for files that are new.
    package static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(SystemError) {
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode).writeAll(bytes)
    }

    package static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws(SystemError) {
        try write(Array(text.utf8), to: path, mode: mode)
    }

    /// Makes a file in the place of whatever has the name now. A link that somebody has put there is not followed, and
    /// what is made meanwhile is not written to.
    package static func create(_ path: String, mode: mode_t = 0o644) throws(SystemError) -> Descriptor {
        try remove(path)
        return try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
    }

    /// The same, with this content.
    package static func create(_ path: String, with bytes: [UInt8], mode: mode_t = 0o644) throws(SystemError) {
        try create(path, mode: mode).writeAll(bytes)
    }

    package static func create(_ path: String, with text: String, mode: mode_t = 0o644) throws(SystemError) {
        try create(path, with: Array(text.utf8), mode: mode)
    }

    /// Replaces a file in one step: a reader, and a crash, sees the old content or the new.
    package static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o644) throws(SystemError) {
        let temporary = path + ".new"
        try create(temporary, with: bytes, mode: mode)
        try retrying("rename", path) { rename(temporary, path) }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// mkdir -p. Directories that are there keep their mode.
    package static func makeDirectories(_ path: String, mode: mode_t = 0o755) throws(SystemError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .last("mkdir", path)
        }
        try makeDirectories(String(path[..<slash]), mode: mode)
        if mkdir(path, mode) != 0 && errno != EEXIST { throw .last("mkdir", path) }
    }

    /// mkdtemp(3), for root alone; its parent is made if it is missing. Gives the path.
    package static func makeTemporaryDirectory(prefix: String) throws(SystemError) -> String {
        if let slash = prefix.lastIndex(of: "/"), slash != prefix.startIndex {
            try makeDirectories(String(prefix[..<slash]), mode: 0o700)
        }
        var template = Array("\(prefix)XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { throw .last("mkdtemp", prefix) }
        return made
    }

    package static func names(in directory: String) throws(SystemError) -> [String] {
        guard let stream = opendir(directory) else { throw .last("opendir", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// unlink(2); a file that is not there is no error.
    package static func remove(_ path: String) throws(SystemError) {
        if unlink(path) != 0 && errno != ENOENT { throw .last("unlink", path) }
    }

    /// rm -r, not following links and not crossing into other mounts' roots (rmdir of a mount point fails).
    package static func removeTree(_ path: String) throws(SystemError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        // A directory gives EISDIR on Linux; EPERM is what POSIX asks for.
        guard errno == EISDIR || errno == EPERM else { throw .last("unlink", path) }
        for name in try names(in: path) { try removeTree("\(path)/\(name)") }
        if rmdir(path) != 0 && errno != ENOENT { throw .last("rmdir", path) }
    }

    /// What kind of file system a path is on: f_type of statfs(2), a constant of <linux/magic.h>.
    package static func fileSystemMagic(at path: String) -> UInt64? {
        var status = statfs()
        return statfs(path, &status) == 0 ? UInt64(truncatingIfNeeded: status.f_type) : nil
    }

    /// The same, of what is open.
    package static func fileSystemMagic(of descriptor: borrowing Descriptor) throws(SystemError) -> UInt64 {
        var status = statfs()
        try retrying("fstatfs") { fstatfs(descriptor.rawValue, &status) }
        return UInt64(truncatingIfNeeded: status.f_type)
    }

    /// rmdir(2).
    package static func removeEmptyDirectory(_ path: String) throws(SystemError) {
        if rmdir(path) != 0 { throw .last("rmdir", path) }
    }

    /// Bytes that the files below a directory take on disk.
    package static func diskUsage(_ path: String) -> UInt64 {
        var status = stat()
        guard lstat(path, &status) == 0 else { return 0 }
        var total = UInt64(status.st_blocks) * 512
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in (try? names(in: path)) ?? [] { total += diskUsage("\(path)/\(name)") }
        }
        return total
    }

    /// Seconds since 1970; 0 if there is no such file.
    package static func modificationTime(_ path: String) -> Int {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
    }

    package static func target(ofLink path: String) throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try retrying("readlink", path) {
            buffer.withUnsafeMutableBytes { bytes in
                bytes.withMemoryRebound(to: CChar.self) { characters in
                    guard let start = characters.baseAddress else { return 0 }
                    return readlink(path, start, characters.count)
                }
            }
        }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
