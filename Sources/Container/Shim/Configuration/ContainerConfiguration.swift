import Checkpoint
import DataPath
import Lifecycle
import Linux

/// What a pod's annotations say about one of its containers. Names and meanings are upstream zeropod's;
/// those that upstream does not have are our own.
package struct ContainerConfiguration: Equatable, Sendable {
    /// Nanoseconds without traffic until the container falls asleep; 0 means never.
    package let scaleDownAfter: UInt64
    /// The same, until it has slept once.
    package let firstScaleDownAfter: UInt64
    /// The TCP ports that are watched; nil means those that the container is found listening on.
    package let ports: Set<UInt16>?
    /// The UDP ports that are watched. None is ever found.
    package let datagramPorts: Set<UInt16>
    /// False if `container-names` names others.
    package let isSelected: Bool
    package let checkpointingDisabled: Bool
    /// Nanoseconds; nil means the kernel's own limit.
    package let connectTimeout: UInt64?
    /// Nanoseconds that a relayed connection may last; nil means as long as both ends want.
    package let proxyTimeout: UInt64?

    /// How the application gets the connections that came while it slept.
    package enum Handover: Equatable, Sendable {
        /// It accepts them itself: they wait in the queue of its own socket.
        case acceptQueue
        /// They are accepted and relayed.
        case relay
    }
    package let handover: Handover

    /// What keeps the container awake.
    package enum Activity: Equatable, Sendable {
        /// Packets that carry something, and requests that are not answered yet.
        case packets
        /// As `packets`, and every open connection.
        case connections
        /// As `packets`, and processes that compute.
        case work
    }
    package let activity: Activity

    /// The ways in which it may sleep.
    package let sleep: Policy.Ways
    package let clock: SleepClock
    package let wake: WakeOptions
    let wakeAt: WakeTimes
    package let probes: ProbeOptions
    /// Peers whose traffic neither wakes the container nor keeps it awake.
    package let ignoredPeers: Set<AddressRange>

    package static let prefix = "zeropod.ctrox.dev/"
    private static let defaultScaleDown: UInt64 = 60_000_000_000

    /// - Parameters:
    ///   - annotations: of the pod, as they stand in the container's OCI specification.
    ///   - name: the container's, as Kubernetes knows it; nil outside Kubernetes.
    ///   - node: what its operator allows.
    /// - Throws: names the annotation and its value.
    package init(
        annotations: [String: String], container name: String?, on node: NodePolicy = NodePolicy()
    ) throws(AnnotationError) {
        let reader = AnnotationReader(annotations: annotations, prefix: Self.prefix)
        let selected = try reader.names("container-names")
        isSelected = selected.map { names in name.map(names.contains) ?? true } ?? true
        scaleDownAfter =
            try reader.duration("scaledown-duration", atLeast: node.shortestIdle, "shortest-idle", zero: "never")
            ?? max(Self.defaultScaleDown, node.shortestIdle)
        let first = try reader.duration(
            "first-scaledown-duration", atLeast: node.shortestFirstIdle, "shortest-first-idle",
            zero: "as scaledown-duration says")
        firstScaleDownAfter = first.flatMap { $0 == 0 ? nil : $0 } ?? max(scaleDownAfter, node.shortestFirstIdle)
        checkpointingDisabled = try reader.flag("disable-checkpointing") ?? false
        connectTimeout = try reader.duration("connect-timeout").flatMap { $0 == 0 ? nil : $0 }
        proxyTimeout = try reader.duration("proxy-timeout").flatMap { $0 == 0 ? nil : $0 }
        let map = try reader.portsMap("ports-map", selected: selected, container: name, mayHaveUDP: true)
        ports = map.flatMap { $0.tcp.isEmpty ? nil : $0.tcp }
        datagramPorts = map?.udp ?? []
        let ways: KeyValuePairs<String, Handover> = ["accept-queue": .acceptQueue, "relay": .relay]
        handover = try reader.choices("handover", of: ways).last ?? .acceptQueue
        let kinds: KeyValuePairs<String, Activity> = [
            "packets": .packets, "connections": .connections, "work": .work,
        ]
        activity = try reader.choices("activity", of: kinds).last ?? .packets
        let sleep: KeyValuePairs<String, Policy.Ways> = ["checkpoint": .checkpoint, "freeze": .freeze]
        let chosen = try Policy.Ways(reader.choices("sleep", of: sleep))
        self.sleep = chosen.isEmpty ? .all : chosen
        let clocks: KeyValuePairs<String, SleepClock> = ["running": .running, "stopped": .stopped]
        clock = try reader.choices("clock", of: clocks).last ?? .running
        wake = try WakeOptions(reader)
        wakeAt = try reader.wakeTimes("wake-at")
        probes = try ProbeOptions(reader, selected: selected, container: name)
        ignoredPeers = try reader.addressRanges("ignore-peers", atMost: Redirector.mostIgnored)
        // Not used yet, but a mistake in them is the user's either way.
        _ = try reader.flag("pre-dump")
        // The daemon reads it.
        _ = try reader.flag("in-place-scaling")
    }
}
