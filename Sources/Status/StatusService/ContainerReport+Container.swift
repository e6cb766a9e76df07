import Lifecycle
import Linux
import Protobuf
import Shim
import StatusAPI

extension ContainerReport {
    init(_ container: Container) {
        self.init()
        id = container.id
        namespace = container.namespace
        (podNamespace, podName, podUID, containerName) = container.names
        state = ContainerState(container.state)
        isPaused = container.isPaused
        reasons = container.reasonsToStayAwake
        ports = container.watchedPorts.map(UInt64.init)
        imageBytes = container.imageBytes
        (connectionsHeld, probesAnswered) = container.trafficCounts
        connectionsKept = UInt64(container.connectionsKept)
        let first = container.firstConnections
        portsAccepted = first.accepted.sorted().map(UInt64.init)
        portsRelayed = first.relayed.sorted().map(UInt64.init)
        relayReason = first.reason
        (wakesInTurn, waitsForItsTurn) = (container.wakesInTurn, container.waitsForItsTurn)
        fill(container.history)
        fillCallers(container)
    }

    private mutating func fillCallers(_ container: Container) {
        let history = container.history
        wakesByWay = Caller.Way.allCases.compactMap { way in
            history.wakesByWay[way].map { count in
                WakeCount { ($0.way, $0.count) = (way.rawValue, count) }
            }
        }
        lastWake = history.lastWake.map(CallerReport.init)
        scaleDownAfter = container.scaleDownAfter
        guard let use = container.lastUse else { return }
        lastUse = Timestamp(use.at)
        lastUsePort = UInt64(use.port)
        lastUser = history.lastUser.map(CallerReport.init)
    }

    private mutating func fill(_ history: SleepHistory) {
        since = Timestamp(history.since)
        memoryGivenBack = history.memoryGivenBack ?? 0
        checkpoints = Durations(history.checkpoints)
        restores = Durations(history.restores)
        wakes = Durations(history.wakes)
        (freezes, thaws) = (history.freezes, history.thaws)
        lastFreeze = history.lastFreeze.map(Timestamp.init)
        lastThaw = history.lastThaw.map(Timestamp.init)
        checkpointErrors = history.checkpointErrors
        restoreErrors = history.restoreErrors
        lastCheckpoint = history.lastCheckpoint.map(Timestamp.init)
        lastRestore = history.lastRestore.map(Timestamp.init)
        lastError = history.lastError
    }
}

extension ContainerState {
    init(_ state: Lifecycle.State) {
        self =
            switch state {
            case .starting: .starting
            case .running: .running
            case .checkpointing: .checkpointing
            case .asleep: .asleep
            case .restoring, .resuming, .thawing: .restoring
            case .frozen: .frozen
            case .exited: .exited
            }
    }
}

extension CallerReport {
    init(_ caller: Caller) {
        self.init()
        (way, port, isOutgoing, words) = (caller.way.rawValue, UInt64(caller.port), caller.isOutgoing, "\(caller)")
        peer = caller.peer.map { "\($0)" } ?? ""
        at = Timestamp(caller.at)
    }
}

extension Durations {
    /// Before the first time as well: a histogram has all its buckets from the start.
    init(_ record: DurationRecord) {
        self.init()
        count = record.count
        sumNanoseconds = record.sum.nanoseconds
        lastNanoseconds = record.last.nanoseconds
        limitMilliseconds = DurationRecord.limits
        cumulative = record.cumulative.isEmpty ? DurationRecord.limits.map { _ in 0 } : record.cumulative
    }
}

extension Timestamp {
    fileprivate init(_ time: WallClockTime) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }
}
