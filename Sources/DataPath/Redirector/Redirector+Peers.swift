import CDataPath
import Glibc
import Linux

/// Peers that are ignored (`bpf/peers.h`). The maps are opened when they are needed: few pods ignore any.
extension Redirector {
    /// How many ranges of addresses a pod may ignore.
    package static let mostIgnored = Int(ZP_MAX_IGNORED)

    /// Packets of these peers do not count as use from now on. Those of whom this was said before count again.
    package func ignore(_ ranges: Set<AddressRange>) throws(SystemError) {
        if ranges == ignored { return }
        let map = try PinnedMap<zp_range, UInt8>(pins.path(.ignored))
        for range in ignored.subtracting(ranges) { try map.remove(zp_range(range)) }
        for range in ranges.subtracting(ignored) { try map.set(zp_range(range), to: 1) }
        let pod = try PinnedMap<UInt32, zp_pod>(pins.path(.pod))
        guard var value = pod[0] else { throw SystemError("ignore peers", pins.directory, code: ENOENT) }
        value.ignores = ranges.isEmpty ? 0 : 1
        try pod.set(0, to: value)
        // It knows connections, and not whom a pod ignores. Packets tell of their use as well.
        try Tracker.setHeeded(
            ranges.isEmpty, networkNamespace: UInt64(value.network_namespace), activityMap: pins.path(.activity))
        ignored = ranges
    }

    /// On: those peers are refused at these ports, with new connections and datagrams. Connections that exist go on.
    package func setRefusal(of transport: Transport, _ on: Bool, ports: Set<UInt16>) throws(SystemError) {
        if ports.isEmpty { return }
        let map = try PinnedMap<zp_service, UInt8>(pins.path(.refusing))
        for port in ports {
            let service = zp_service(protocol: transport.rawValue, port: port)
            if on { try map.set(service, to: 1) } else { try map.remove(service) }
        }
    }

    package enum Transport: UInt16, CaseIterable, Sendable {
        case tcp = 6
        case udp = 17
    }
}

extension zp_range {
    fileprivate init(_ range: AddressRange) {
        self.init()
        length = UInt32(range.length)
        withUnsafeMutableBytes(of: &address) { $0.storeBytes(of: range.address.bigEndian, as: UInt128.self) }
    }
}
