import Glibc
import Linux

/// What the kernel has to have. It is tried, since options of a build do not tell what a container, a lockdown or a
/// policy takes away again.
struct KernelChecks {
    func run() -> [Finding] {
        [version, root] + NetworkTrial.run() + [userfaultfd]
    }

    /// What needs no rights to be found out.
    var ofAnyProcess: [Finding] { [version] }

    private var version: Finding {
        let version = KernelVersion.running
        if version < KernelVersion(5, 9) {
            return .missing("kernel", "Linux \(version)", "Linux 5.9 or later is needed (sk_lookup)")
        }
        // The same numbers as in CRIU.swift of the shim.
        if version < KernelVersion(5, 13) {
            return .limited(
                "kernel", "Linux \(version): freezing only",
                "a restore needs Linux 5.13 or later (mount_setattr, PTRACE_GET_RSEQ_CONFIGURATION)")
        }
        return .good("kernel", "Linux \(version)")
    }

    private var root: Finding {
        geteuid() == 0 ? .good("user", "root") : .missing("user", "uid \(geteuid())", "run this as root")
    }

    private var userfaultfd: Finding {
        do throws(SystemError) {
            _ = try UserFault.open()
            return .good("userfaultfd", "works: large containers wake before their memory is read")
        } catch {
            return .limited(
                "userfaultfd", "\(error)",
                "large containers wake only when all of their memory has been read; CONFIG_USERFAULTFD")
        }
    }
}
