import JSON
import Protobuf
import StatusAPI

/// What `zeropod status --json` prints: a list, one object a container. Times are seconds since 1970, durations
/// nanoseconds, sizes bytes.
package enum StatusDocument {
    package static func make(_ containers: [FoundContainer], now: Int64) -> String {
        JSON.array(containers.map { describe($0.report, now: now) }).text
    }

    private static func describe(_ report: ContainerReport, now: Int64) -> JSON {
        var object = JSON.object(JSON.Object())
        object["id"] = .string(report.id)
        object["namespace"] = .string(report.namespace)
        object["podNamespace"] = .string(report.podNamespace)
        object["pod"] = .string(report.podName)
        object["podUID"] = .string(report.podUID)
        object["container"] = .string(report.containerName)
        object["state"] = .string(report.state.word)
        object["paused"] = .bool(report.isPaused)
        object["since"] = report.since.map { .integer($0.seconds) } ?? .null
        object["reasons"] = .array(report.reasons.map { .string($0) })
        object["ports"] = .array(report.ports.map { .integer($0) })
        object["imageBytes"] = .integer(report.imageBytes)
        object["memoryGivenBack"] = .integer(report.memoryGivenBack)
        object["checkpoints"] = describe(report.checkpoints, report.lastCheckpoint, report.checkpointErrors)
        object["restores"] = describe(report.restores, report.lastRestore, report.restoreErrors)
        object["wakes"] = describe(report.wakes, nil, 0)
        object["connectionsHeld"] = .integer(report.connectionsHeld)
        object["probesAnswered"] = .integer(report.probesAnswered)
        object["connectionsKept"] = .integer(report.connectionsKept)
        object["freezes"] = .integer(report.freezes)
        object["thaws"] = .integer(report.thaws)
        object["wakesInTurn"] = .integer(report.wakesInTurn)
        object["waitsForItsTurn"] = .bool(report.waitsForItsTurn)
        object["why"] = .string(report.why(now: now))
        object["wakesByWay"] = wakes(of: report)
        object["lastWake"] = describe(report.lastWake)
        object["lastUser"] = describe(report.lastUser)
        object["lastUseAt"] = report.lastUse.map { .integer($0.seconds) } ?? .null
        object["handover"] = handover(of: report)
        object["lastError"] = .string(report.lastError)
        return object
    }

    private static func wakes(of report: ContainerReport) -> JSON {
        var object = JSON.object(JSON.Object())
        for wakes in report.wakesByWay { object[wakes.way] = .integer(wakes.count) }
        return object
    }

    private static func describe(_ caller: CallerReport?) -> JSON {
        guard let caller else { return .null }
        var object = JSON.object(JSON.Object())
        object["way"] = .string(caller.way)
        if !caller.peer.isEmpty { object["peer"] = .string(caller.peer) }
        if caller.port != 0 { object["port"] = .integer(caller.port) }
        object["direction"] = .string(caller.isOutgoing ? "out" : "in")
        if let at = caller.at { object["at"] = .integer(at.seconds) }
        return object
    }

    /// By the names that the annotation has.
    private static func handover(of report: ContainerReport) -> JSON {
        var object = JSON.object(JSON.Object())
        object["accept-queue"] = .array(report.portsAccepted.map { .integer($0) })
        object["relay"] = .array(report.portsRelayed.map { .integer($0) })
        object["reason"] = .string(report.relayReason)
        return object
    }

    private static func describe(_ durations: Durations?, _ last: Timestamp?, _ errors: UInt64) -> JSON {
        var object = JSON.object(JSON.Object())
        object["count"] = .integer(durations?.count ?? 0)
        object["sum"] = .integer(durations?.sumNanoseconds ?? 0)
        object["last"] = .integer(durations?.lastNanoseconds ?? 0)
        if let last { object["lastAt"] = .integer(last.seconds) }
        if errors > 0 { object["errors"] = .integer(errors) }
        return object
    }
}
