import JSON
import Linux

/// Says what is wrong with the node's entry in the cluster: a mistake there looks like a daemon that does nothing.
struct NodeCheck {
    private static let label = "zeropod.ctrox.dev/node"

    private let api: APIServer
    private let node: String
    private let log: Log

    init(_ api: APIServer, node: String, log: Log) {
        (self.api, self.node, self.log) = (api, node, log)
    }

    func run() {
        let (node, log) = (node, log)
        api.ask("GET", "/api/v1/nodes/\(node)") { result in
            switch result {
            case .success(let document):
                if document["metadata"]?["labels"]?[Self.label]?.string == "true" { return }
                log.warning(
                    "the node is not labelled, so no pod of the RuntimeClass is scheduled here: kubectl label node"
                        + " \(node) \(Self.label)=true")
            case .failure(let failure) where failure.status == 404:
                log.error("the cluster has no node of this name: is --node-name right?", ["node": node])
            // Not reached, or not allowed to look: the watch of pods says the first, the second does not matter.
            case .failure: return
            }
        }
    }
}
