import JSON

/// Bodies of changes to a pod. Each names the pod's uid, so that one of the same name that came after it is not meant.
enum PodPatch {
    static let merge = "application/merge-patch+json"
    /// Lists are merged by their members' names.
    static let strategic = "application/strategic-merge-patch+json"

    /// What is written over somebody else's change is right all the same: it is what the shim says.
    ///
    /// - Parameters:
    ///   - labels: nil for those that are taken away.
    ///   - annotations: likewise.
    static func status(_ pod: Pod, labels: [String: String?], annotations: [String: String?]) -> JSON {
        ["metadata": ["uid": .string(pod.uid), "labels": object(labels), "annotations": object(annotations)]]
    }

    /// The version is named as well: whoever has changed the pod since it was looked at wins, and it is looked at again.
    static func requests(_ pod: Pod, _ requests: [String: [String: String]]) -> JSON {
        let containers = requests.sorted { $0.key < $1.key }.map { name, requests -> JSON in
            ["name": .string(name), "resources": ["requests": object(requests)]]
        }
        return [
            "metadata": ["uid": .string(pod.uid), "resourceVersion": .string(pod.version)],
            "spec": ["containers": .array(containers)],
        ]
    }

    private static func object(_ values: [String: String?]) -> JSON {
        var object = JSON.object(JSON.Object())
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { object[key] = value.map { .string($0) } ?? .null }
        return object
    }
}
