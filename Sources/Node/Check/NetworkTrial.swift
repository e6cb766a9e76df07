import DataPath
import Glibc
import Linux

/// What a shim does for the network of a new pod, done for a network namespace that has no pod, and taken back.
enum NetworkTrial {
    static func run() -> [Finding] {
        do throws(DataPathError) {
            let report = try attachAndDetach()
            return [.good("BPF", "attached to \(report.interfaces.joined(separator: ", ")) by \(report.hook.rawValue)")]
                + [tracker(report.tracker), tasks(report.tasks)]
        } catch {
            return [
                .missing(
                    "BPF", "\(error)",
                    "the kernel needs CONFIG_BPF_SYSCALL, CONFIG_BPF_STREAM_PARSER, CONFIG_NET_CLS_BPF, CONFIG_NET_CLS_ACT "
                        + "and CONFIG_SECCOMP_FILTER; this process CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN")
            ]
        }
    }

    private static func attachAndDetach() throws(DataPathError) -> DataPathLoader.Report {
        let name = "check-\(getpid())"
        do throws(SystemError) {
            try NetworkThread.attempt()
        } catch {
            throw .missing("system call filters (seccomp)", error)
        }
        let namespace: Namespace
        do throws(SystemError) {
            namespace = try newNamespace()
        } catch {
            throw .system(error)
        }
        let report = try DataPathLoader.attach(pod: name, networkNamespace: namespace)
        try Redirector.detach(pod: name, networkNamespace: namespace)
        return report
    }

    /// With nothing but lo, which is down.
    private static func newNamespace() throws(SystemError) -> Namespace {
        let home = try Namespace.own(.network)
        try retrying("unshare") { unshare(CLONE_NEWNET) }
        let namespace = try Namespace.own(.network)
        try home.enter()
        return namespace
    }

    private static func tasks(_ status: TaskIterator.Status) -> Finding {
        guard case .unavailable = status else { return .good("task iterator", "\(status)") }
        return .limited(
            "task iterator", "\(status)",
            "landlock, keyrings of threads and other settings that /proc does not show are lost by a checkpoint; "
                + "Linux 5.8 with CONFIG_DEBUG_INFO_BTF and CONFIG_BPF_EVENTS would find them")
    }

    private static func tracker(_ status: Tracker.Status) -> Finding {
        guard case .unavailable = status else { return .good("tracker", "\(status)") }
        return .limited(
            "tracker", "\(status)",
            "connections over lo count by their packets alone; CONFIG_KPROBES or CONFIG_BPF_EVENTS would count accepts")
    }
}
