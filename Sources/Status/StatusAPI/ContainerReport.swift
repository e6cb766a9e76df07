import Protobuf

/// What a container does, and why it does not sleep.
package struct ContainerReport: Message {
    package static var name: String { "zeropod.status.v1.ContainerReport" }

    /// The container's full id, and containerd's namespace that it is in.
    package var id = ""
    package var namespace = ""
    /// Kubernetes' names; empty for containers that were not made through CRI.
    package var podNamespace = ""
    package var podName = ""
    package var podUID = ""
    package var containerName = ""
    package var state = ContainerState.unknown
    package var since: Timestamp?
    package var isPaused = false
    /// Why it does not sleep now, for people; empty if nothing stands in the way.
    package var reasons: [String] = []
    /// Ports that are watched.
    package var ports: [UInt64] = []
    /// Bytes of its images on disk; 0 while it is awake.
    package var imageBytes: UInt64 = 0
    /// Bytes of memory that its processes had and that are free while it sleeps.
    package var memoryGivenBack: UInt64 = 0
    package var checkpoints: Durations?
    package var restores: Durations?
    /// From a connection's arrival to its handing over.
    package var wakes: Durations?
    package var checkpointErrors: UInt64 = 0
    package var restoreErrors: UInt64 = 0
    package var lastCheckpoint: Timestamp?
    package var lastRestore: Timestamp?
    /// The last failure of a checkpoint or a restore, with CRIU's last lines.
    package var lastError = ""
    /// Connections that waited for a wake, since the start.
    package var connectionsHeld: UInt64 = 0
    /// Probes that were answered without waking it, since the start.
    package var probesAnswered: UInt64 = 0
    /// Connections that are open while it sleeps.
    package var connectionsKept: UInt64 = 0
    /// How often it was frozen, and thawed again, since the start.
    package var freezes: UInt64 = 0
    package var thaws: UInt64 = 0
    package var lastFreeze: Timestamp?
    package var lastThaw: Timestamp?
    /// Ports whose first connections the application accepts itself, and those where they are relayed, with the reason.
    package var portsAccepted: [UInt64] = []
    package var portsRelayed: [UInt64] = []
    package var relayReason = ""
    /// How often its wake had to wait for those of others, and whether it does now.
    package var wakesInTurn: UInt64 = 0
    package var waitsForItsTurn = false
    /// How often each way woke it; ways that never did are not in it.
    package var wakesByWay: [WakeCount] = []
    package var lastWake: CallerReport?
    /// Whose connection, open when the shim last looked, was used last.
    package var lastUser: CallerReport?
    /// When a packet was last seen, and at which port; only while it runs.
    package var lastUse: Timestamp?
    package var lastUsePort: UInt64 = 0
    /// Without a packet for so long it sleeps, in nanoseconds.
    package var scaleDownAfter: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "namespace", &namespace)
        try fields(3, "pod_namespace", &podNamespace)
        try fields(4, "pod_name", &podName)
        try fields(5, "pod_uid", &podUID)
        try fields(6, "container_name", &containerName)
        try fields(7, "state", &state)
        try fields(8, "since", &since)
        try fields(9, "paused", &isPaused)
        try fields(10, "reasons", &reasons)
        try fields(11, "ports", &ports)
        try fields(12, "image_bytes", &imageBytes)
        try fields(13, "memory_given_back", &memoryGivenBack)
        try visitHistory(&fields)
        try fields(27, "ports_accepted", &portsAccepted)
        try fields(28, "ports_relayed", &portsRelayed)
        try fields(29, "relay_reason", &relayReason)
    }

    private mutating func visitHistory(_ fields: inout Fields) throws(ProtobufError) {
        try fields(14, "checkpoints", &checkpoints)
        try fields(15, "restores", &restores)
        try fields(16, "wakes", &wakes)
        try fields(17, "checkpoint_errors", &checkpointErrors)
        try fields(18, "restore_errors", &restoreErrors)
        try fields(19, "last_checkpoint", &lastCheckpoint)
        try fields(20, "last_restore", &lastRestore)
        try fields(21, "last_error", &lastError)
        try fields(22, "connections_held", &connectionsHeld)
        try fields(23, "probes_answered", &probesAnswered)
        try fields(24, "connections_kept", &connectionsKept)
        try fields(30, "freezes", &freezes)
        try fields(31, "thaws", &thaws)
        try fields(32, "last_freeze", &lastFreeze)
        try fields(33, "last_thaw", &lastThaw)
        try fields(34, "wakes_in_turn", &wakesInTurn)
        try fields(35, "waits_for_its_turn", &waitsForItsTurn)
        try visitCallers(&fields)
    }

    private mutating func visitCallers(_ fields: inout Fields) throws(ProtobufError) {
        try fields(36, "wakes_by_way", &wakesByWay)
        try fields(37, "last_wake", &lastWake)
        try fields(38, "last_user", &lastUser)
        try fields(39, "last_use", &lastUse)
        try fields(40, "last_use_port", &lastUsePort)
        try fields(41, "scale_down_after", &scaleDownAfter)
    }
}

package struct ContainerState: RawRepresentable, Equatable, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let unknown = ContainerState(rawValue: 0)
    package static let starting = ContainerState(rawValue: 1)
    package static let running = ContainerState(rawValue: 2)
    package static let checkpointing = ContainerState(rawValue: 3)
    package static let asleep = ContainerState(rawValue: 4)
    package static let restoring = ContainerState(rawValue: 5)
    package static let exited = ContainerState(rawValue: 6)
    package static let frozen = ContainerState(rawValue: 7)

    /// It needs no processor time, and something wakes it.
    package var isAsleep: Bool { self == .asleep || self == .frozen }
}
