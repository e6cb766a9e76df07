import Commands
import Foundation
import TestNode

/// What the shims of a node say, as it stands in containerd's log since a pod was made.
package struct ShimLog: Sendable {
    /// A line that tells of a container's sleep or wake.
    package struct Change: Sendable {
        package enum Kind: String, Sendable {
            case asleep = "scaled down"
            case awake = "restored"
        }

        package let kind: Kind
        package let container: String
        /// From the decision to the processes being gone, or back.
        package let milliseconds: Double
    }

    private let pod: Pod

    package init(of pod: Pod) { self.pod = pod }

    /// All changes of a container so far.
    package func changes(of container: String) -> [Change] {
        let text = (try? pod.containerdLog()) ?? ""
        return text.split(separator: "\n").compactMap(Self.change).filter { $0.container == container }
    }

    /// Waits for a container's change number `count` (counted from one) of a kind.
    package func await(
        _ kind: Change.Kind, _ count: Int, of container: String, within deadline: Duration = .seconds(30)
    ) async throws -> Change {
        try await eventually("\(container.prefix(12)): \(kind.rawValue) for the \(count). time", within: deadline) {
            let changes = changes(of: container).filter { $0.kind == kind }
            return changes.count >= count ? changes[count - 1] : nil
        }
    }

    /// `time="…" level=info msg="scaled down" container="…" took="9.8ms"`
    private static func change(_ line: Substring) -> Change? {
        guard let kind = value("msg", in: line).flatMap({ Change.Kind(rawValue: String($0)) }),
            let container = value("container", in: line),
            let took = value("took", in: line).flatMap({ Double($0.dropLast("ms".count)) })
        else { return nil }
        return Change(kind: kind, container: String(container), milliseconds: took)
    }

    private static func value(_ name: String, in line: Substring) -> Substring? {
        line.range(of: " \(name)=\"").map { line[$0.upperBound...].prefix { $0 != "\"" } }
    }
}
