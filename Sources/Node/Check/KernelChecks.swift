import DataPath
import Glibc
import Linux

/// What the kernel has to have. Where it can be tried it is tried, since options of a build do not tell what a
/// container, a lockdown or a policy takes away again.
struct KernelChecks {
    let host: Host

    func run() -> [Finding] {
        [version, root, sockets, tcLinks, tracker, bpffs, userfaultfd]
    }

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

    private var sockets: Finding {
        BPFSupport.canLoad(.socketLookup)
            ? .good("BPF sk_lookup", "can be loaded")
            : .missing(
                "BPF sk_lookup", "cannot be loaded",
                "the kernel needs CONFIG_BPF_SYSCALL, CONFIG_INET and CONFIG_BPF_STREAM_PARSER; this process CAP_BPF and CAP_NET_ADMIN"
            )
    }

    private var tcLinks: Finding {
        guard BPFSupport.canLoad(.tc) else {
            return .missing("BPF tc", "cannot be loaded", "the kernel needs CONFIG_NET_CLS_BPF and CONFIG_NET_CLS_ACT")
        }
        return KernelVersion.running >= KernelVersion(6, 6)
            ? .good("BPF tc", "can be loaded, attached by tcx links")
            : .good("BPF tc", "can be loaded, attached to clsact")
    }

    private var tracker: Finding {
        if BPFSupport.canLoad(.kprobe) && Files.exists("/sys/bus/event_source/devices/kprobe") {
            return .good("tracker", "kretprobe on inet_csk_accept")
        }
        if BPFSupport.canLoad(.rawTracepoint) {
            return .good("tracker", "raw tracepoint inet_sock_set_state (this kernel has no kprobes)")
        }
        return .limited(
            "tracker", "neither kprobes nor raw tracepoints",
            "connections over lo count by their packets alone; CONFIG_KPROBES or CONFIG_BPF_EVENTS would count accepts")
    }

    private var bpffs: Finding {
        // BPF_FS_MAGIC of <linux/magic.h>.
        Files.fileSystemMagic(at: host.path("/sys/fs/bpf")) == 0xcafe_4a11
            ? .good("bpffs", "mounted at /sys/fs/bpf")
            : .good("bpffs", "not mounted at /sys/fs/bpf: the first shim will do that")
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
