import Glibc

/// Lets all processes of a cgroup, and below it, stand still: the freezer of v1, `cgroup.freeze` of v2 (Linux 5.2).
///
/// What stands still under v1 ends by SIGKILL only once it goes on.
package struct Freezer: Sendable {
    private let directory: String
    private let isUnified: Bool

    /// - Throws: ENOENT if no hierarchy of the cgroup can freeze.
    package init(of cgroup: Cgroup) throws(SystemError) {
        isUnified = cgroup.isUnified
        guard let directory = cgroup.directories[isUnified ? "" : "freezer"] else {
            throw SystemError("find", "the freezer of the control group", code: ENOENT)
        }
        self.directory = directory
    }

    /// Returns when all stand still. If that cannot be, they go on.
    package func freeze() throws(SystemError) {
        try write(isUnified ? "1" : "FROZEN")
        let deadline = Instant.now + Self.patience
        while try !isFrozen {
            if Instant.now > deadline {
                try? thaw()
                throw SystemError("freeze", directory, code: ETIMEDOUT)
            }
            // v1 does not tell of it.
            usleep(200)
        }
    }

    /// A process stands still as soon as it is on its way back from the kernel. One that waits for a disk or a server
    /// that does not answer may take for ever.
    private static let patience = Instant.Span.seconds(1)

    package func thaw() throws(SystemError) { try write(isUnified ? "0" : "THAWED") }

    package var isFrozen: Bool {
        get throws(SystemError) {
            isUnified
                ? try Files.readText("\(directory)/cgroup.events").split(separator: "\n").contains("frozen 1")
                : try Files.readText(state).hasPrefix("FROZEN")
        }
    }

    private var state: String { "\(directory)/\(isUnified ? "cgroup.freeze" : "freezer.state")" }

    private func write(_ word: String) throws(SystemError) { try Files.write(word, to: state) }
}
