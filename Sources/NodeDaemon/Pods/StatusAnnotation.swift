import JSON
import StatusAPI

/// What the annotation `status.zeropod.ctrox.dev/CONTAINER` of a pod tells beside the label of that name, which has room for
/// a word only. By these annotations any daemon can show the containers of all nodes.
struct StatusAnnotation: Equatable {
    /// Bytes that are kept of a text which whoever may annotate a pod can write.
    private static let longest = 500

    var node = ""
    /// Seconds since 1970.
    var since: Int64 = 0
    var why = ""
    /// Bytes.
    var memoryFreed: UInt64 = 0
    var wakes: UInt64 = 0

    /// Nil in between, when it falls asleep or wakes: then what was told before stays.
    init?(_ report: ContainerReport, node: String) {
        guard StatusLabels.value(of: report.state) != nil else { return nil }
        self.node = node
        since = report.since?.seconds ?? 0
        why = Self.cut(report.lastingWhy)
        memoryFreed = report.state.isAsleep ? report.memoryGivenBack : 0
        wakes = report.wakings
    }

    /// Nil for what is no JSON object. Members that are not understood are left out.
    init?(parsing text: String) {
        guard let document = try? JSON(parsing: Array(text.utf8)), document.object != nil else { return nil }
        node = Self.cut(document["node"]?.string ?? "")
        since = document["since"]?.integer() ?? 0
        why = Self.cut(document["why"]?.string ?? "")
        memoryFreed = document["memoryFreed"]?.integer() ?? 0
        wakes = document["wakes"]?.integer() ?? 0
    }

    var text: String {
        let document: JSON = [
            "node": .string(node), "since": .integer(since), "why": .string(why), "memoryFreed": .integer(memoryFreed),
            "wakes": .integer(wakes),
        ]
        return document.text
    }

    private static func cut(_ text: String) -> String {
        if text.utf8.count <= longest { return text }
        return String(decoding: text.utf8.prefix(longest), as: UTF8.self) + "…"
    }

    // MARK: Of a pod

    /// The annotations that differ from what the pod has, with the values that they should have.
    static func changes(of pod: Pod, _ containers: [ContainerReport], node: String) -> [String: String?] {
        var changes: [String: String?] = [:]
        for report in containers {
            guard var annotation = StatusAnnotation(report, node: node) else { continue }
            if let pending = pod.pendingResize { annotation.why = cut("\(annotation.why); \(pending.words)") }
            let key = StatusLabels.prefix + report.containerName
            if pod.annotations[key] != annotation.text { changes[key] = annotation.text }
        }
        return changes
    }

    /// All that the pod has, to be taken away.
    static func removals(of pod: Pod) -> [String: String?] {
        pod.annotations.filter { $0.key.hasPrefix(StatusLabels.prefix) }.mapValues { _ in nil }
    }
}
