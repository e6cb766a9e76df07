import CBPF
import Glibc
import Linux

/// Filters at a clsact qdisc, for kernels before 6.6. Calls act on the network namespace that the thread is in.
enum Clsact {
    /// Ours among the filters of others; "zp" in ASCII. A low priority: whoever is there before us comes first.
    private static let priority: UInt32 = 0x7a70
    private static let handle: UInt32 = 1

    static func attach(_ programs: borrowing TrafficPrograms, to interface: Interface) throws(DataPathError) {
        LibbpfLog.collect()
        var both = hook(interface, bpf_tc_attach_point(BPF_TC_INGRESS.rawValue | BPF_TC_EGRESS.rawValue))
        let created = bpf_tc_hook_create(&both)
        if created != 0 && created != -EEXIST {
            throw .missing("clsact", SystemError("bpf_tc_hook_create", interface.name, code: -created))
        }
        try attach(programs.ingress, hook(interface, BPF_TC_INGRESS), interface)
        try attach(programs.egress, hook(interface, BPF_TC_EGRESS), interface)
    }

    private static func attach(
        _ program: borrowing Descriptor, _ hook: bpf_tc_hook, _ interface: Interface
    ) throws(DataPathError) {
        var hook = hook
        var filter = ours()
        filter.prog_fd = program.rawValue
        filter.flags = BPF_TC_F_REPLACE.rawValue
        let result = bpf_tc_attach(&hook, &filter)
        if result != 0 {
            throw .refused(SystemError("bpf_tc_attach", interface.name, code: -result), log: LibbpfLog.take())
        }
    }

    /// Removes our filters from every interface. An empty clsact qdisc stays: there is no telling whose it is.
    static func detachAll(in namespace: borrowing Namespace) throws(DataPathError) {
        LibbpfLog.collect()
        try system { () throws(SystemError) in
            try namespace.inside { () throws(SystemError) in
                for interface in try Interface.all() {
                    for point in [BPF_TC_INGRESS, BPF_TC_EGRESS] {
                        var place = hook(interface, point)
                        var filter = ours()
                        // Fails where there is no such filter, or no clsact: then there is nothing to remove.
                        _ = bpf_tc_detach(&place, &filter)
                    }
                }
            }
        }
    }

    private static func hook(_ interface: Interface, _ point: bpf_tc_attach_point) -> bpf_tc_hook {
        var hook = bpf_tc_hook()
        hook.sz = MemoryLayout<bpf_tc_hook>.size
        hook.ifindex = Int32(interface.index)
        hook.attach_point = point
        return hook
    }

    private static func ours() -> bpf_tc_opts {
        var options = bpf_tc_opts()
        options.sz = MemoryLayout<bpf_tc_opts>.size
        options.handle = handle
        options.priority = priority
        return options
    }
}
