import CBPF
import Glibc
import Linux

/// A BPF map, by descriptor: bpf(2) and nothing else. No BTF is read and nothing is allocated.
///
/// The caller knows the map's types: `Key` and `Value` must have the sizes of the map's definition in `bpf/`.
struct PinnedMap<Key: BitwiseCopyable, Value: BitwiseCopyable>: ~Copyable, Sendable {
    private let name: String
    let descriptor: Descriptor

    init(_ path: String) throws(SystemError) {
        // First what can fail: Swift 6.2 releases twice what such a value has got before an error.
        descriptor = Descriptor(owning: try retrying("bpf_obj_get", path) { bpf_obj_get(path) })
        name = path
    }

    subscript(key: Key) -> Value? {
        withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { value in
            withUnsafeBytes(of: key) { key in
                guard let value = value.baseAddress,
                    bpf_map_lookup_elem(descriptor.rawValue, key.baseAddress, value) == 0
                else { return nil }
                return value.pointee
            }
        }
    }

    /// The first bytes of a value, for values too large to be a type of Swift's.
    func bytes(of key: Key, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = withUnsafeBytes(of: key) { bpf_map_lookup_elem(descriptor.rawValue, $0.baseAddress, &bytes) }
        return result == 0 ? bytes : nil
    }

    enum Condition: UInt64 {
        case any = 0  // BPF_ANY
        case absent = 1  // BPF_NOEXIST
    }

    /// - Returns: false if the key was there and should not have been.
    @discardableResult
    func set(_ key: Key, to value: Value, if condition: Condition = .any) throws(SystemError) -> Bool {
        do {
            try retrying("bpf_map_update_elem", name) {
                withUnsafeBytes(of: key) { key in
                    withUnsafeBytes(of: value) { value in
                        bpf_map_update_elem(
                            descriptor.rawValue, key.baseAddress, value.baseAddress, condition.rawValue)
                    }
                }
            }
            return true
        } catch {
            if condition == .absent && error.code == EEXIST { return false }
            throw error
        }
    }

    /// Does nothing if the key is not there.
    func remove(_ key: Key) throws(SystemError) {
        do {
            try retrying("bpf_map_delete_elem", name) {
                withUnsafeBytes(of: key) { key in bpf_map_delete_elem(descriptor.rawValue, key.baseAddress) }
            }
        } catch {
            if error.code != ENOENT { throw error }
        }
    }

    /// The keys, while nobody removes one; after a concurrent removal the walk begins again, so a key may come twice.
    func keys(limit: Int) -> [Key] {
        var keys: [Key] = []
        withUnsafeTemporaryAllocation(of: Key.self, capacity: 1) { next in
            while keys.count < limit, let next = next.baseAddress {
                let found =
                    if let last = keys.last {
                        withUnsafeBytes(of: last) { bpf_map_get_next_key(descriptor.rawValue, $0.baseAddress, next) }
                    } else {
                        bpf_map_get_next_key(descriptor.rawValue, nil, next)
                    }
                if found != 0 { return }
                keys.append(next.pointee)
            }
        }
        return keys
    }
}
