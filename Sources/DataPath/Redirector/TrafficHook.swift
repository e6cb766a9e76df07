import CBPF
import CDataPath
import Glibc
import Linux

/// How the tc programs are attached to an interface.
package enum TrafficHook: String, Sendable {
    /// Links of their own (Linux 6.6), pinned; they go when the pin or the interface goes.
    case tcx
    /// Filters at a clsact qdisc; they go with the interface.
    case clsact
}

/// The programs that every interface of the pod gets.
struct TrafficPrograms: ~Copyable {
    let ingress: Descriptor
    let egress: Descriptor

    init(_ pins: PodPins) throws(SystemError) {
        let first = try Self.open(pins.path(.ingress))
        let second = try Self.open(pins.path(.egress))
        ingress = first
        egress = second
    }

    static func open(_ path: String) throws(SystemError) -> Descriptor {
        Descriptor(owning: try retrying("bpf_obj_get", path) { bpf_obj_get(path) })
    }
}

enum TCX {
    /// - Returns: false if this kernel has no tcx.
    static func attach(
        _ programs: borrowing TrafficPrograms, to interface: Interface, _ pins: PodPins
    ) throws(DataPathError) -> Bool {
        guard try attach(programs.ingress, ZP_INGRESS, to: interface, pin: pins.link(.ingress, on: interface)) else {
            return false
        }
        return try attach(programs.egress, ZP_EGRESS, to: interface, pin: pins.link(.egress, on: interface))
    }

    private static func attach(
        _ program: borrowing Descriptor, _ direction: zp_direction, to interface: Interface, pin: String
    ) throws(DataPathError) -> Bool {
        let number = zp_tcx_attach(Int32(interface.index), direction, program.rawValue)
        if number < 0 {
            switch -number {
            case EEXIST: return true  // attached by an earlier run
            case EINVAL: return false  // how older kernels answer attach types they do not know
            default: throw .system(SystemError("bpf_link_create(tcx)", interface.name, code: -number))
            }
        }
        let link = Descriptor(owning: number)
        try system { () throws(SystemError) in try Files.remove(pin) }
        try BPFObject.pin(link.rawValue, at: pin)
        return true
    }
}
