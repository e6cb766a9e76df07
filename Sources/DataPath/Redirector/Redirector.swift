import CDataPath
import Glibc
import Linux

/// The redirector of one pod as the shim sees it: maps that `DataPathLoader` pinned. Opening it and every call is a few
/// system calls; no BPF is loaded here.
package final class Redirector {
    let pins: PodPins
    private let ports: PinnedMap<UInt16, zp_port>
    private let activity: PinnedMap<UInt16, UInt64>
    private let activators: PinnedMap<UInt32, UInt64>
    private let counts: PinnedMap<UInt32, UInt64>
    let probers: PinnedMap<UInt128, UInt8>
    let requests: PinnedMap<UInt32, UInt8>
    /// What `ignore` was told, by slot.
    var ignoring: [UInt32: Set<AddressRange>] = [:]
    /// Where peers are refused now, by slot.
    var refusing: [UInt32: Set<Service>] = [:]

    /// Opens what `DataPathLoader.attach` made for this pod.
    package init(pod: String) throws(SystemError) {
        pins = PodPins(pod: pod)
        ports = try PinnedMap(pins.path(.ports))
        activity = try PinnedMap(pins.path(.activity))
        activators = try PinnedMap(pins.path(.activators))
        counts = try PinnedMap(pins.path(.counters))
        probers = try PinnedMap(pins.path(.probers))
        requests = try PinnedMap(pins.path(.requests))
    }

    // MARK: Ports

    /// Makes ports known: packets from and to them count as activity, and they can be redirected to the activator in
    /// `slot`. A port that is known already keeps its time and its redirect.
    ///
    /// - Parameter passive: Those whose packets do not count.
    package func declare(
        ports numbers: some Sequence<UInt16>, slot: UInt32, passive: Set<UInt16> = []
    ) throws(SystemError) {
        for number in numbers {
            var port = ports[number] ?? zp_port()
            port.activator = slot
            port.passive = passive.contains(number) ? 1 : 0
            try ports.set(number, to: port)
            if port.passive == 1 {
                try activity.set(number, to: ZP_PASSIVE)
            } else if activity[number] == ZP_PASSIVE {
                try activity.set(number, to: 0)
            } else {
                try activity.set(number, to: 0, if: .absent)
            }
        }
    }

    /// The opposite of `declare`.
    package func forget(ports numbers: some Sequence<UInt16>) throws(SystemError) {
        for number in numbers {
            try ports.remove(number)
            try activity.remove(number)
        }
    }

    /// On: new connections go to the activator, from the return of this call on. Off: to the application. Connections
    /// that exist, or whose first SYN has been answered, stay where they are. Ports that were not declared are an error.
    ///
    /// - Parameter reception: Whether those that may be probes, or are for a passive port, go to the activator's
    ///   reception. nil: as `on`.
    package func setRedirect(
        _ on: Bool, reception: Bool? = nil, ports numbers: some Sequence<UInt16>
    ) throws(SystemError) {
        for number in numbers {
            guard var port = ports[number] else {
                throw SystemError("redirect", "undeclared port \(number)", code: ENOENT)
            }
            port.redirected = on ? 1 : 0
            port.received = reception ?? on ? 1 : 0
            try ports.set(number, to: port)
        }
    }

    /// Of these ports, those on which the application waits for its client to speak, as far as connections from the
    /// node have shown.
    package func portsThatWait(among numbers: some Sequence<UInt16>) -> Set<UInt16> {
        Set(numbers.filter { ports[$0]?.speaker == ZP_CLIENT.rawValue })
    }

    /// When a connection from the node to one of some ports last began with TLS; nil: never.
    package func lastTLS(of numbers: some Sequence<UInt16>) -> (port: UInt16, at: Instant)? {
        let times = numbers.map { (port: $0, at: ports[$0]?.last_tls ?? 0) }
        guard let last = times.max(by: { $0.at < $1.at }), last.at > 0 else { return nil }
        return (last.port, Instant(nanoseconds: last.at))
    }

    /// The ports that are redirected now.
    package var redirectedPorts: [UInt16] {
        ports.keys(limit: Int(ZP_MAX_PORTS)).filter { ports[$0]?.redirected == 1 }.sorted()
    }

    /// How many containers of a pod may sleep: the slots above belong to receptions.
    package static let slots = UInt32(ZP_MAX_ACTIVATORS)

    /// Makes a listening socket the activator in `slot`. The kernel forgets it when it is closed.
    package func register(activator: borrowing Descriptor, slot: UInt32) throws(SystemError) {
        try activators.set(slot, to: UInt64(activator.rawValue))
    }

    package func register(_ activator: Activator, slot: UInt32) throws(SystemError) {
        guard slot < Self.slots else { throw SystemError("register", "an activator in slot \(slot)", code: EINVAL) }
        guard let listener = activator.listener, let reception = activator.reception.listener else {
            throw SystemError("register", "closed activator", code: EBADF)
        }
        try register(activator: listener.descriptor, slot: slot)
        try register(activator: reception.descriptor, slot: Self.slots + slot)
    }

    // MARK: Activity

    /// All ports that are declared or on which the tracker has seen a connection accepted, with the time of the last
    /// sign of life.
    package var activePorts: [UInt16: Instant] {
        var times: [UInt16: Instant] = [:]
        for number in activity.keys(limit: Int(ZP_MAX_PORTS)) where number != ZP_REFUSED_PORTS {
            if let time = activity[number], time != 0, time != ZP_PASSIVE { times[number] = Instant(nanoseconds: time) }
        }
        return times
    }

    // MARK: Diagnosis

    package struct Counters: Equatable, Sendable, CustomStringConvertible {
        /// Segments that were handed to an activator: each SYN of a connection.
        package let steered: UInt64
        /// Segments for a redirected port whose activator was not there.
        package let withoutActivator: UInt64
        /// Segments whose activator the kernel did not accept.
        package let refused: UInt64
        /// Segments that were handed to a reception.
        package let received: UInt64
        /// Segments and datagrams of ignored peers that were refused.
        package let turnedAway: UInt64

        package var description: String {
            "steered \(steered), received \(received), without activator \(withoutActivator), refused \(refused)"
        }
    }

    package var counters: Counters {
        Counters(
            steered: counts[ZP_STEERED.rawValue] ?? 0, withoutActivator: counts[ZP_NO_ACTIVATOR.rawValue] ?? 0,
            refused: counts[ZP_REFUSED.rawValue] ?? 0, received: counts[ZP_RECEIVED.rawValue] ?? 0,
            turnedAway: counts[ZP_TURNED_AWAY.rawValue] ?? 0)
    }
}
