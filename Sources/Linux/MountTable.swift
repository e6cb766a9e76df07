import Glibc

/// `/proc/PID/mountinfo` (proc(5)).
package struct MountTable: Sendable {
    package struct Mount: Equatable, Sendable {
        package let id: UInt32
        package let parent: UInt32
        /// Where in its file system the mount begins.
        package let root: String
        /// Where it is seen from the process.
        package let point: String
        package let options: String
        package let fileSystem: String
        package let source: String
        /// Of the file system, whichever mount of it is looked at: `rw,hidepid=invisible`.
        package let fileSystemOptions: String
    }

    package let mounts: [Mount]

    package init(of pid: pid_t) throws(SystemError) {
        self.init(parsing: try Files.readText("/proc/\(pid)/mountinfo"))
    }

    package init(parsing text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            // Optional fields end with a single dash.
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 2,
                let id = UInt32(fields[0]), let parent = UInt32(fields[1])
            else { return nil }
            return Mount(
                id: id, parent: parent, root: Self.unescape(fields[3]), point: Self.unescape(fields[4]),
                options: String(fields[5]), fileSystem: String(fields[dash + 1]),
                source: Self.unescape(fields[dash + 2]),
                fileSystemOptions: fields.count > dash + 3 ? String(fields[dash + 3]) : "")
        }
    }

    /// The kernel writes space, tab, newline and backslash as three octal digits.
    private static func unescape(_ field: Substring) -> String {
        guard field.contains("\\") else { return String(field) }
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest.removeFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    package subscript(point: String) -> Mount? { mounts.last { $0.point == point } }
}
