import JSON
import Linux

/// Says what is wrong with the node's entry in the cluster, and with the RuntimeClass: mistakes there look like a daemon
/// that does nothing, or like a runtime that is not installed.
final class NodeCheck {
    private static let label = "zeropod.ctrox.dev/node"
    /// What was wrong may have been put right.
    private static let interval = Instant.Span.seconds(60)

    private let api: APIServer
    private let node: String
    private let loop: EventLoop
    private let log: Log
    private var found: [Subject: String] = [:]

    private enum Subject: Int {
        case node
        case runtimeClass
    }

    init(_ api: APIServer, node: String, loop: EventLoop, log: Log) {
        (self.api, self.node, self.loop, self.log) = (api, node, loop, log)
    }

    /// What is wrong now, for people.
    var troubles: [String] { found.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value) }

    func run() {
        look(at: "/api/v1/nodes/\(node)", .node) { [node] in Self.trouble(ofNode: $0, named: node) }
        look(at: "/apis/node.k8s.io/v1/runtimeclasses/zeropod", .runtimeClass, Self.trouble(ofRuntimeClass:))
    }

    private func look(at path: String, _ subject: Subject, _ judge: @escaping (JSON?) -> String?) {
        api.ask("GET", path) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let document): note(judge(document), subject)
            case .failure(let failure) where failure.status == 404: note(judge(nil), subject)
            // Not reached: the watch of pods says so.
            case .failure(let failure) where failure.kind == .passing: break
            // Not allowed to look, which does not matter.
            case .failure: return
            }
            if case .success = result, found[subject] == nil { return }
            loop.after(Self.interval) { [weak self] in self?.look(at: path, subject, judge) }
        }
    }

    private func note(_ trouble: String?, _ subject: Subject) {
        if let trouble, found[subject] != trouble { log.warning(trouble) }
        found[subject] = trouble
    }

    // MARK: Judging

    static func isLabelled(_ node: JSON) -> Bool { node["metadata"]?["labels"]?[label]?.string == "true" }

    /// - Parameter document: nil if there is none.
    static func trouble(ofNode document: JSON?, named node: String) -> String? {
        guard let document else { return "the cluster has no node '\(node)': is --node-name right?" }
        if isLabelled(document) { return nil }
        return "the node is not labelled, so no pod of the RuntimeClass is scheduled here: kubectl label node \(node)"
            + " \(label)=true"
    }

    static func trouble(ofRuntimeClass document: JSON?) -> String? {
        guard let document else {
            return
                "the cluster has no RuntimeClass 'zeropod', so no pod can ask for it: kubectl apply -k config/production"
        }
        if let handler = document["handler"]?.string, handler != "zeropod" {
            return "the RuntimeClass 'zeropod' has the handler '\(handler)': containerd knows this runtime as 'zeropod'"
        }
        if document["scheduling"]?["nodeSelector"]?[label]?.string == "true" { return nil }
        return
            "the RuntimeClass 'zeropod' does not select nodes by the label \(label)=true, so pods are placed on nodes"
            + " without the runtime, and cannot start there: kubectl apply -k config/production"
    }
}
