import CBPF
import DataPath
import Glibc
import Linux

/// Somebody else's tc program, at both hooks of an interface: it lets every packet pass, and so ends the chain.
final class PassingProgram {
    private var links: [SharedDescriptor] = []

    init(on interface: String, of pod: TestPod, _ hook: TrafficHook) throws {
        let program = try Self.load()
        switch hook {
        case .tcx:
            links = try pod.network.inside { () throws(SystemError) in
                let index = Int32(if_nametoindex(interface))
                return try [UInt32(46), 47].map { type throws(SystemError) in
                    let link = try retrying("bpf_link_create", interface) {
                        bpf_link_create(program.rawValue, index, bpf_attach_type(type), nil)
                    }
                    return SharedDescriptor(Descriptor(owning: link))
                }
            }
        case .clsact:
            let pin = "/sys/fs/bpf/passing"
            try retrying("bpf_obj_pin", pin) { bpf_obj_pin(program.rawValue, pin) }
            let tc = "nsenter --net=/run/netns/\(pod.name) tc"
            try sh("\(tc) qdisc add dev \(interface) clsact")
            for direction in ["ingress", "egress"] {
                try sh("\(tc) filter add dev \(interface) \(direction) prio 10 bpf da pinned \(pin)")
            }
        }
    }

    private static func load() throws -> Descriptor {
        // r0 = TC_ACT_OK; exit
        let instructions: [UInt64] = [0xb7, 0x95]
        let number = try instructions.withUnsafeBytes { bytes in
            let first = bytes.assumingMemoryBound(to: bpf_insn.self).baseAddress
            return try retrying("bpf_prog_load") {
                bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "passing", "GPL", first, 2, nil)
            }
        }
        return Descriptor(owning: number)
    }
}
