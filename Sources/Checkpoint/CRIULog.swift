import Linux

/// What CRIU's log says of a failure.
package enum CRIULog {
    /// Where CRIU's own text in a line of an error begins: `(00.012) Error (criu/files-ext.c:98): Can't …`.
    private static let error = Array("Error (".utf8)
    private static let place = Array("): ".utf8)
    /// What image/criu-changes/kept.c says, which names no file: `… Error (criu/kept.c:9): kept: A mapping of 7 is …`.
    private static let kept = "kept: "

    /// The last lines, and before them the first error, if it is not among them: what CRIU does after an error fills many.
    package static func end(of text: String, lines: Int) -> String {
        let all = text.split(separator: "\n")
        let last = all.suffix(lines)
        guard let first = all.firstIndex(where: isError), first < last.startIndex else {
            return last.joined(separator: "\n")
        }
        return ([all[first]] + last).joined(separator: "\n")
    }

    /// The first error as words for people; nil if there is none. Where CRIU's reason is not known it is CRIU's own text,
    /// without names of files, which others than root may not know.
    package static func cause(in text: String) -> String? {
        let errors = text.split(separator: "\n").filter(isError).compactMap(message)
        if let own = errors.first(where: { $0.hasPrefix(kept) }) { return String(own.dropFirst(kept.count)) }
        guard let first = errors.first else { return nil }
        return known.first { first.containsText($0.text) }?.words ?? withoutPaths(first)
    }

    private static let known: [(text: String, words: String)] = [
        ("[io_uring]", "it has an io_uring"), ("[userfaultfd]", "it has a userfaultfd"),
        ("that type [", "it has a file open of a kind that CRIU does not know"),
        ("Unknown shit", "it has memory mapped of a kind that CRIU does not know"),
        ("handle_device_vma", "it has memory of a device mapped"),
        ("non-regular mapping", "it has memory of a device mapped"),
        ("running in 32-bit mode", "it has a 32-bit program"),
        ("nested", "one of its processes is in a namespace of its own"),
        ("task not stopped after seize", "another program traces one of its processes"),
        ("pending SIGTRAP", "another program traces one of its processes"),
        ("Zombie", "one of its threads has ended and not the process"),
    ]

    /// Where the kernel withholds CAP_SYS_RESOURCE, CRIU says so at its start, and goes on.
    private static let harmless = Array("Can't setup RLIMIT_NOFILE for self".utf8)

    private static func isError(_ line: Substring) -> Bool {
        position(of: error, in: line) != nil && position(of: harmless, in: line) == nil
    }

    private static func message(_ line: Substring) -> String? {
        guard let start = position(of: error, in: line) else { return nil }
        let rest = line.utf8[start...]
        guard let end = position(of: place, in: Substring(rest)) else { return nil }
        return String(line.utf8[end...])
    }

    /// Where what follows `mark` begins.
    private static func position(of mark: [UInt8], in line: Substring) -> Substring.Index? {
        var index = line.utf8.startIndex
        while index < line.utf8.endIndex {
            if line.utf8[index...].starts(with: mark) { return line.utf8.index(index, offsetBy: mark.count) }
            index = line.utf8.index(after: index)
        }
        return nil
    }

    private static func withoutPaths(_ text: String) -> String {
        text.split(separator: " ").map { $0.utf8.contains(UInt8(ascii: "/")) ? "…" : String($0) }
            .joined(separator: " ")
    }
}
