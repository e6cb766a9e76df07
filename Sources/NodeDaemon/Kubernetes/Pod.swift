import JSON

/// What the daemon needs to know of a pod of the cluster.
struct Pod: Equatable {
    struct Container: Equatable {
        var name = ""
        /// `cpu` and `memory` as they are written.
        var requests: [String: String] = [:]
        var limits: [String: String] = [:]
        /// Resources whose change would start the container anew.
        var restartedBy: Set<String> = []
    }

    /// Requests that the kubelet has not put into effect.
    struct PendingResize: Equatable {
        /// `Deferred`: when there is room; `Infeasible`: never on this node.
        var reason = ""
        var message = ""
    }

    var name = ""
    var namespace = ""
    var uid = ""
    /// Of a static pod the kubelet's own name for it, which is what its shim knows.
    var localUID = ""
    var version = ""
    var labels: [String: String] = [:]
    var annotations: [String: String] = [:]
    var containers: [Container] = []
    var qualityOfService = ""
    /// Whether the pod as a whole has requests or limits (1.32 and later).
    var hasOwnResources = false
    var pendingResize: PendingResize?
    /// Being deleted, or ended: nothing is written to it any more.
    var isEnding = false

    private static let scaling = "zeropod.ctrox.dev/in-place-scaling"

    /// Annotations that the daemon reads; others are not kept.
    private static let annotationsOfInterest = [
        "kubernetes.io/config.hash", "kubernetes.io/config.mirror", scaling,
    ]

    init() {}

    /// Nil if this is no pod.
    init?(_ document: JSON) {
        guard let metadata = document["metadata"], let name = metadata["name"]?.string,
            let namespace = metadata["namespace"]?.string, let uid = metadata["uid"]?.string
        else { return nil }
        (self.name, self.namespace, self.uid) = (name, namespace, uid)
        version = metadata["resourceVersion"]?.string ?? ""
        labels = (metadata["labels"]?.stringMap ?? [:]).filter { $0.key.hasPrefix(StatusLabels.prefix) }
        let all = metadata["annotations"]?.stringMap ?? [:]
        annotations = all.filter {
            Self.annotationsOfInterest.contains($0.key) || $0.key.hasPrefix(StatusLabels.prefix)
        }
        localUID = all["kubernetes.io/config.hash"] ?? uid
        containers = (document["spec"]?["containers"]?.array ?? []).map(Container.init)
        qualityOfService = document["status"]?["qosClass"]?.string ?? ""
        let own = document["spec"]?["resources"]
        hasOwnResources = own?["requests"]?.object != nil || own?["limits"]?.object != nil
        pendingResize = document["status"].flatMap(PendingResize.init)
        let phase = document["status"]?["phase"]?.string
        isEnding = metadata["deletionTimestamp"]?.string != nil || phase == "Succeeded" || phase == "Failed"
    }

    /// As it is, and older than whatever comes.
    var withoutVersion: Pod {
        var pod = self
        pod.version = ""
        return pod
    }

    var isStatic: Bool { annotations["kubernetes.io/config.mirror"] != nil }

    /// Its owner says that its requests are to stay: a manifest of a bare pod could not be applied again while they differ.
    var keepsRequests: Bool {
        // What Go's strconv.ParseBool takes for false; the shim refuses what is neither.
        ["0", "f", "F", "false", "FALSE", "False"].contains(annotations[Self.scaling])
    }

    var path: String { "/api/v1/namespaces/\(namespace)/pods/\(name)" }

    /// Whether an answer of the server or an event of the watch is older than this. Versions of one resource are
    /// numbers that rise; where they are none, the newest that came is right.
    func isNewer(than other: Pod) -> Bool {
        guard uid == other.uid, let own = UInt64(version), let others = UInt64(other.version) else { return false }
        return own > others
    }
}

extension Pod.PendingResize {
    /// Nil if all requests are in effect, or are about to be.
    init?(status: JSON) {
        let condition = status["conditions"]?.array?.first {
            $0["type"]?.string == "PodResizePending" && $0["status"]?.string == "True"
        }
        if let condition {
            (reason, message) = (condition["reason"]?.string ?? "", condition["message"]?.string ?? "")
            return
        }
        // Before Kubernetes 1.33.
        guard let reason = status["resize"]?.string, ["Deferred", "Infeasible"].contains(reason) else { return nil }
        self.reason = reason
    }

    var words: String {
        "the kubelet has not put its requests into effect: \(reason)" + (message.isEmpty ? "" : ", \(message)")
    }
}

extension Pod.Container {
    init(_ document: JSON) {
        name = document["name"]?.string ?? ""
        requests = document["resources"]?["requests"]?.stringMap ?? [:]
        limits = document["resources"]?["limits"]?.stringMap ?? [:]
        for policy in document["resizePolicy"]?.array ?? [] where policy["restartPolicy"]?.string == "RestartContainer"
        {
            if let resource = policy["resourceName"]?.string { restartedBy.insert(resource) }
        }
    }
}
