import Glibc
import Linux

/// The files below `/opt/zeropod`: programs, and the libraries that criu brings along.
package struct ProgramFiles {
    private let host: Host
    /// Where they come from, as this process sees it: a directory with `bin` and, perhaps, `lib`.
    private let source: String
    /// Where they go, on the host.
    private let prefix: String

    package static let folders = ["bin", "lib"]

    package init(_ host: Host, from source: String, to prefix: String) {
        (self.host, self.source, self.prefix) = (host, source, prefix)
    }

    /// Copies what differs, each file in one step. A shim that runs keeps the file that it was started from.
    /// - Returns: the files that were written, relative to the prefix.
    package func copy() throws(SystemError) -> [String] {
        var written: [String] = []
        for folder in Self.folders {
            guard Files.exists("\(source)/\(folder)") else { continue }
            let target = host.path("\(prefix)/\(folder)")
            try Files.makeDirectories(target)
            for name in try Files.names(in: "\(source)/\(folder)").sorted() {
                let bytes = try Files.read("\(source)/\(folder)/\(name)", limit: 256 << 20)
                let path = "\(target)/\(name)"
                if let there = try? Files.read(path, limit: 256 << 20), there == bytes { continue }
                try replace(path, with: bytes)
                written.append("\(folder)/\(name)")
            }
        }
        return written
    }

    private func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            try Files.replaceDurably(path, with: bytes, mode: 0o755)
        } catch {
            // A disk that is full is told of a descriptor, without the file's name.
            throw SystemError("write", path, code: error.code)
        }
    }

    /// Removes what an installation made, and the prefix if nothing else is in it.
    package func remove() throws(SystemError) {
        for folder in Self.folders { try Files.removeTree(host.path("\(prefix)/\(folder)")) }
        do throws(SystemError) {
            try Files.removeEmptyDirectory(host.path(prefix))
        } catch {
            guard error.code == ENOTEMPTY || error.code == ENOENT else { throw error }
        }
    }
}
