import CBPF

/// What this kernel lets this process load. For a report; the loader itself tries and says what failed.
package enum BPFSupport {
    package enum Program: CaseIterable, Sendable {
        case tc
        case socketLookup
        case kprobe
        case rawTracepoint

        fileprivate var type: bpf_prog_type {
            switch self {
            case .tc: BPF_PROG_TYPE_SCHED_CLS
            case .socketLookup: BPF_PROG_TYPE_SK_LOOKUP
            case .kprobe: BPF_PROG_TYPE_KPROBE
            case .rawTracepoint: BPF_PROG_TYPE_RAW_TRACEPOINT
            }
        }
    }

    /// libbpf_probe_bpf_prog_type: loads a program that does nothing.
    package static func canLoad(_ program: Program) -> Bool {
        LibbpfLog.collect()
        return libbpf_probe_bpf_prog_type(program.type, nil) == 1
    }
}
