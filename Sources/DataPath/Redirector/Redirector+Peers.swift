import CDataPath
import Glibc
import Linux

/// Peers that are ignored (`bpf/peers.h`). The maps are opened when they are needed: few pods ignore any.
extension Redirector {
    /// How many ranges of addresses a pod may ignore.
    package static let mostIgnored = Int(ZP_MAX_IGNORED)

    /// Packets of these peers do not count as use from now on, says the container in `slot`. Those of whom it alone said
    /// this before count again. The annotation is the pod's, so where containers differ the pod ignores what one does.
    package func ignore(_ ranges: Set<AddressRange>, slot: UInt32) throws(SystemError) {
        var wishes = ignoring
        wishes[slot] = ranges.isEmpty ? nil : ranges
        let (before, after) = (Self.union(ignoring), Self.union(wishes))
        if before != after {
            do throws(SystemError) {
                try ignore(after, insteadOf: before)
            } catch {
                // Half of it would stay for the pod's other containers.
                try? ignore(before, insteadOf: after)
                throw error
            }
        }
        ignoring = wishes
    }

    private func ignore(_ ranges: Set<AddressRange>, insteadOf before: Set<AddressRange>) throws(SystemError) {
        let map = try PinnedMap<zp_range, UInt8>(pins.path(.ignored))
        for range in before.subtracting(ranges) { try map.remove(zp_range(range)) }
        for range in ranges.subtracting(before) { try map.set(zp_range(range), to: 1) }
        let pod = try PinnedMap<UInt32, zp_pod>(pins.path(.pod))
        guard var value = pod[0] else { throw SystemError("ignore peers", pins.directory, code: ENOENT) }
        value.ignores = ranges.isEmpty ? 0 : 1
        try pod.set(0, to: value)
        // The tracker knows connections, and not whom a pod ignores, so its notes do not count here. Packets tell of
        // use as well.
        try Tracker.setHeeded(
            ranges.isEmpty, networkNamespace: UInt64(value.network_namespace), activityMap: pins.path(.activity))
    }

    /// The ignored peers are refused there, with new connections and datagrams, until `admit` is called for the container
    /// in `slot`. Connections that exist go on.
    package func refuse(at services: Set<Service>, slot: UInt32) throws(SystemError) {
        if services.isEmpty { return }
        // Noted first, so that a call that fails half-way is taken back too.
        refusing[slot, default: []].formUnion(services)
        let map = try PinnedMap<zp_service, UInt8>(pins.path(.refusing))
        for service in services { try map.set(zp_service(service), to: 1) }
    }

    /// The opposite of `refuse`. Two containers may listen on one port, at different addresses: where another one refuses
    /// them they stay refused. What fails is done the next time.
    package func admit(slot: UInt32) throws(SystemError) {
        guard let services = refusing[slot] else { return }
        let others = Self.union(refusing.filter { $0.key != slot })
        let map = try PinnedMap<zp_service, UInt8>(pins.path(.refusing))
        for service in services.subtracting(others) { try map.remove(zp_service(service)) }
        refusing[slot] = nil
    }

    private static func union<Element>(_ sets: [UInt32: Set<Element>]) -> Set<Element> {
        sets.values.reduce(into: []) { $0.formUnion($1) }
    }

    /// Where connections, or datagrams, of anybody come in.
    package struct Service: Hashable, Sendable {
        let transport: Transport
        let port: UInt16

        package init(_ transport: Transport, _ port: UInt16) { (self.transport, self.port) = (transport, port) }
    }

    package enum Transport: UInt16, Sendable {
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

extension zp_service {
    fileprivate init(_ service: Redirector.Service) {
        self.init(protocol: service.transport.rawValue, port: service.port)
    }
}
