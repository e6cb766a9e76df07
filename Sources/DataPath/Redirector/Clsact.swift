import CDataPath
import Glibc
import Linux

/// Filters at a clsact qdisc, for kernels before 6.6. Calls act on the network namespace that the thread is in.
enum Clsact {
    static func attach(_ programs: borrowing TrafficPrograms, to interface: Interface) throws(DataPathError) {
        LibbpfLog.collect()
        let index = Int32(interface.index)
        let created = zp_clsact_create(index)
        if created != 0 && created != -EEXIST {
            throw .missing("clsact", SystemError("bpf_tc_hook_create", interface.name, code: -created))
        }
        try attach(programs.ingress, ZP_INGRESS, interface)
        try attach(programs.egress, ZP_EGRESS, interface)
    }

    private static func attach(
        _ program: borrowing Descriptor, _ direction: zp_direction, _ interface: Interface
    ) throws(DataPathError) {
        let result = zp_clsact_attach(Int32(interface.index), direction, program.rawValue)
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
                    // Fails where there is no such filter, or no clsact: then there is nothing to remove.
                    _ = zp_clsact_detach(Int32(interface.index), ZP_INGRESS)
                    _ = zp_clsact_detach(Int32(interface.index), ZP_EGRESS)
                }
            }
        }
    }
}
