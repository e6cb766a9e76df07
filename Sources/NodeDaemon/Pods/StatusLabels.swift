import StatusAPI

/// Labels that tell what the containers of a pod do: `status.zeropod.ctrox.dev/CONTAINER`.
enum StatusLabels {
    static let prefix = "status.zeropod.ctrox.dev/"
    static let running = "RUNNING"
    static let asleep = "SCALED_DOWN"
    /// Not `asleep`, by which users of upstream know that its memory is free.
    static let frozen = "FROZEN"

    /// All that the pod has, to be taken away.
    static func removals(of pod: Pod) -> [String: String?] { pod.labels.mapValues { _ in nil } }

    /// The labels that differ from what the pod has, with the values that they should have.
    static func changes(of pod: Pod, _ containers: [ContainerReport]) -> [String: String?] {
        var changes: [String: String?] = [:]
        for report in containers {
            // In between, falling asleep or waking, it is still what it was.
            guard let value = value(of: report.state) else { continue }
            let key = prefix + report.containerName
            if pod.labels[key] != value { changes[key] = value }
        }
        return changes
    }

    /// Nil in between, when it falls asleep or wakes.
    static func value(of state: ContainerState) -> String? {
        switch state {
        case .running: running
        case .asleep: asleep
        case .frozen: frozen
        default: nil
        }
    }
}
