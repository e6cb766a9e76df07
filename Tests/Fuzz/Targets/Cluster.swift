import JSON
import Shim
import StatusAPI

@testable import NodeDaemon

extension FuzzTarget {
    /// What the API server sends: the stream of a watch. The first byte says into what pieces it is cut. Tenants choose
    /// much of what is in there.
    static let cluster = FuzzTarget("cluster") { bytes in
        guard let first = bytes.first else { return }
        let (sent, step) = (Array(bytes.dropFirst()), Int(first) + 1)
        var events = WatchEvents()
        for start in stride(from: 0, to: sent.count, by: step) {
            for event in events.take(Array(sent[start..<min(start + step, sent.count)])) {
                switch event {
                case .present(let object), .deleted(let object): look(at: object)
                case .failed(let failure): _ = (failure.kind, failure.description)
                case .bookmark, .expired: break
                }
            }
        }
        // The same as an answer.
        let document = try? JSON(parsing: sent)
        _ = APIFailure(status: 500, document, sent).kind
        _ = NodeCheck.trouble(ofNode: document, named: "node")
        _ = NodeCheck.trouble(ofRuntimeClass: document)
        if let document { look(at: document) }
    }

    /// Each step is one that can be made, and after a few there is none left.
    private static func look(at object: JSON) {
        _ = ClusterPage(.init(containers: ClusterContainer.all(in: object)), .init(), now: 1).html
        if let kept = OriginalRequests(object) { precondition(OriginalRequests(kept.json) == kept) }
        guard let pod = Pod(object) else { return }
        let scaling = RequestScaling(asleep: ["cpu": "1m", "memory": "1Ki"])
        for state in [ContainerState.running, .asleep, .frozen] {
            let reports = pod.containers.map { container in
                ContainerReport {
                    $0.containerName = container.name
                    $0.state = state
                }
            }
            _ = StatusLabels.changes(of: pod, reports)
            _ = StatusAnnotation.changes(of: pod, reports, node: "node")
            var seen: [String: RequestScaling.Seen] = [:]
            let step = scaling.step(for: pod, reports, OriginalRequests(), &seen)
            precondition(state == .asleep || step.requests.isEmpty, "requests change without an original")
            let again = scaling.step(for: pod, reports, step.originals, &seen)
            precondition(again.originals == step.originals, "it never comes to rest")
            _ = PodPatch.requests(pod, again.requests).text
        }
    }

    /// Amounts of resources, a line each: each has its place among the others.
    static let quantities = FuzzTarget("quantities") { bytes in
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").prefix(8)
        let amounts = lines.compactMap { Quantity(String($0)) }
        for left in amounts {
            for right in amounts { precondition((left < right) == !(left >= right)) }
        }
    }

    /// The operator's file.
    static let policy = FuzzTarget("policy") { bytes in
        _ = try? NodePolicy(parsing: String(decoding: bytes, as: UTF8.self))
    }
}
