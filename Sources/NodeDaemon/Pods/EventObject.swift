import JSON
import Linux
import StatusAPI

/// An event as the API server takes it. Reasons, name and reporter are upstream's.
enum EventObject {
    private static let reporter = "zeropod.ctrox.dev/manager"
    /// Bytes; events.k8s.io/v1 takes no longer note.
    private static let longest = 1024

    /// - Parameter withheld: changes before this one that no event was made of.
    static func make(
        _ change: ContainerChange, of report: ContainerReport, podUID: String, node: String, at time: WallClockTime,
        withheld: Int
    ) -> JSON {
        let moment = JSON.string(Timestamps.rfc3339(time))
        let reason = JSON.string(reason(of: change.kind))
        let isFailure = change.kind == .checkpointFailed || change.kind == .restoreFailed
        return [
            "apiVersion": "v1", "kind": "Event",
            "metadata": [
                "namespace": .string(report.podNamespace),
                "name": .string("zeropod-status-event-\(report.id.prefix(20))-\(change.kind.rawValue)\(change.number)"),
            ],
            "involvedObject": [
                "apiVersion": "v1", "kind": "Pod", "namespace": .string(report.podNamespace),
                "name": .string(report.podName), "uid": .string(podUID),
                "fieldPath": .string("spec.containers{\(report.containerName)}"),
            ],
            "reason": reason, "action": reason, "type": isFailure ? "Warning" : "Normal",
            "message": .string(cut(message(change, report) + note(withheld))),
            "firstTimestamp": moment, "lastTimestamp": moment, "count": 1,
            "eventTime": .string(Timestamps.rfc3339(time, microseconds: true)),
            "reportingComponent": .string(reporter), "reportingInstance": .string(node),
            "source": ["component": .string(reporter), "host": .string(node)],
        ]
    }

    private static func reason(of kind: ContainerChange.Kind) -> String {
        switch kind {
        case .asleep: "Scaled down"
        case .awake: "Running"
        case .frozen: "Frozen"
        case .thawed: "Thawed"
        case .checkpointFailed: "Checkpoint failed"
        case .restoreFailed: "Restore failed"
        }
    }

    private static func message(_ change: ContainerChange, _ report: ContainerReport) -> String {
        let name = report.containerName
        let time = change.took == 0 ? "" : " in \(InWords.milliseconds(change.took))"
        switch change.kind {
        case .asleep:
            let isLast = change.number == report.checkpoints?.count && report.memoryGivenBack > 0
            let freed = isLast ? ", \(InWords.size(report.memoryGivenBack)) of memory freed" : ""
            return "Scaled down container \(name)\(time)\(freed)"
        case .awake:
            return "Restored container \(name)\(time)"
                + (change.number == report.restores?.count ? wokenBy(report) : "")
        case .frozen: return "Froze container \(name), which is not checkpointed: \(report.whyFrozen)"
        case .thawed:
            return "Thawed container \(name)" + (change.number == report.thaws ? wokenBy(report) : "")
        case .checkpointFailed: return "Checkpoint failed for container \(name): \(report.lastError.withoutLog)"
        case .restoreFailed: return "Restore failed for container \(name): \(report.lastError.withoutLog)"
        }
    }

    private static func wokenBy(_ report: ContainerReport) -> String {
        report.lastWake.map { ", woken by \($0.words)" } ?? ""
    }

    private static func note(_ withheld: Int) -> String {
        withheld == 0 ? "" : " (\(withheld) changes before it have no events of their own)"
    }

    /// The end of a text matters least: a reason stands at its beginning.
    private static func cut(_ text: String) -> String {
        if text.utf8.count <= longest { return text }
        var result = text
        while result.utf8.count > longest - 3 { result.removeLast() }
        return result + "…"
    }
}
