import CBPF
import CDataPath
import Glibc
import Linux

/// A set of BPF programs and maps, loaded with libbpf. Reads the kernel's BTF, which takes megabytes for a moment: in
/// short-lived processes only.
struct BPFObject: ~Copyable {
    private let object: OpaquePointer
    private let name: String

    /// Opens the object and asks the kernel for nothing yet.
    init(_ embedded: zp_object, name: String) throws(DataPathError) {
        LibbpfLog.collect()
        guard let opened = bpf_object__open_mem(embedded.bytes, embedded.size, nil) else {
            throw .refused(.last("bpf_object__open_mem", name), log: LibbpfLog.take())
        }
        object = opened
        self.name = name
    }

    deinit {
        bpf_object__close(object)
    }

    func load() throws(DataPathError) {
        if bpf_object__load(object) != 0 {
            throw .refused(.last("bpf_object__load", name), log: LibbpfLog.take())
        }
    }

    /// Leaves a program out of `load`.
    func skip(_ program: String) throws(DataPathError) {
        bpf_program__set_autoload(try find(program), false)
    }

    func find(_ program: String) throws(DataPathError) -> OpaquePointer {
        guard let found = bpf_object__find_program_by_name(object, program) else {
            throw .system(.last("bpf_object__find_program_by_name", program))
        }
        return found
    }

    func map(_ map: String) throws(DataPathError) -> OpaquePointer {
        guard let found = bpf_object__find_map_by_name(object, map) else {
            throw .system(.last("bpf_object__find_map_by_name", map))
        }
        return found
    }

    func pin(program: String, at path: String) throws(DataPathError) {
        try Self.pin(bpf_program__fd(try find(program)), at: path)
    }

    func pin(map: String, at path: String) throws(DataPathError) {
        try Self.pin(bpf_map__fd(try self.map(map)), at: path)
    }

    static func pin(_ descriptor: Int32, at path: String) throws(DataPathError) {
        try system { () throws(SystemError) in try retrying("bpf_obj_pin", path) { bpf_obj_pin(descriptor, path) } }
    }

    /// Before Linux 6.1 the kernel warns (WARN_ONCE) when a tracing program may write to a hash map that allocates as
    /// it goes. There, maps that the tracker reaches take their memory at once.
    static func allocateAheadIfNeeded(_ map: OpaquePointer) {
        if allocatesAhead { bpf_map__set_map_flags(map, 0) }
    }

    static var allocatesAhead: Bool { KernelVersion.running < KernelVersion(6, 1) }
}
