import Glibc
import Linux

/// What all processes of a container must have in common to be given back: its namespaces, and its cgroups. CRIU makes
/// them all in those that were kept.
enum ProcessComparison {
    private static let namespaces = ["mnt", "ipc", "uts", "net", "cgroup", "user", "pid", "time"]

    /// For processes that stand still.
    static func requireOneSetting(of pids: [pid_t], asOf initial: pid_t) throws(CheckpointError) {
        if pids.count < 2 { return }
        let wanted = setting(of: initial)
        for pid in pids where pid != initial {
            let found = setting(of: pid)
            // A zombie has no namespaces any more, and what has ended meanwhile nothing.
            if found.allSatisfy(\.isEmpty) || wanted == found { continue }
            guard let index = wanted.indices.first(where: { wanted[$0] != found[$0] }) else { continue }
            if index < namespaces.count && found[index].isEmpty { continue }
            let what = index < namespaces.count ? "a \(namespaces[index]) namespace" : "control groups"
            throw .lossy(reason: "process \(pid) has \(what) of its own, which cannot be given back")
        }
    }

    static func requireNoRing(of pids: [pid_t]) throws(CheckpointError) {
        guard let pid = pids.first(where: { !Process.descriptors(of: $0, linkedTo: "anon_inode:[io_uring]").isEmpty })
        else { return }
        throw .lossy(reason: "process \(pid) has an io_uring, which cannot be given back")
    }

    /// The kernel hangs a terminal up with the session leader that it controls. It is asked here, and not of the images:
    /// CRIU, which dumps such a terminal itself, makes it non-blocking and takes what is unread out of it, and would leave
    /// it so when the checkpoint is refused.
    static func requireNoTerminal(of pids: [pid_t]) throws(CheckpointError) {
        guard let pid = pids.first(where: Process.hasControllingTerminal) else { return }
        throw .lossy(reason: "a terminal controls process \(pid), and would be hung up")
    }

    private static func setting(of pid: pid_t) -> [String] {
        namespaces.map { (try? Files.target(ofLink: "/proc/\(pid)/ns/\($0)")) ?? "" }
            + [(try? Files.readText("/proc/\(pid)/cgroup")) ?? ""]
    }
}
