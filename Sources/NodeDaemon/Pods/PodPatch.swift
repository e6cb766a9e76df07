import JSON

/// Bodies of changes to a pod. Each names the pod's uid, so that one of the same name that came after it is not meant.
enum PodPatch {
    static let merge = "application/merge-patch+json"
    /// Lists are merged by their members' names.
    static let strategic = "application/strategic-merge-patch+json"

    /// Labels and annotations. With annotations the version is named as well: whoever has changed the pod since it was
    /// looked at wins, and it is looked at again.
    static func metadata(_ pod: Pod, _ labels: [String: String], _ annotations: [String: String?]) -> JSON {
        var metadata: JSON = ["uid": .string(pod.uid)]
        if !annotations.isEmpty {
            metadata["resourceVersion"] = .string(pod.version)
            metadata["annotations"] = object(annotations)
        }
        if !labels.isEmpty { metadata["labels"] = object(labels) }
        return ["metadata": metadata]
    }

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
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            // Setting a member to nil would leave it out; null removes it from the pod.
            object[key] = value.map(JSON.string) ?? JSON.null
        }
        return object
    }
}
