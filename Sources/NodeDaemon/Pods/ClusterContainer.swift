import JSON

/// A container of any node, as the label and the annotation of its pod tell.
struct ClusterContainer: Equatable {
    enum State: String, CaseIterable {
        case awake
        case frozen
        case asleep
    }

    var namespace = ""
    var pod = ""
    var name = ""
    var state = State.asleep
    /// Nil of a daemon that writes labels only, as earlier versions did.
    var annotation: StatusAnnotation?

    /// Those of a pod, of which only the metadata has to be there.
    static func all(in pod: JSON) -> [ClusterContainer] {
        guard let metadata = pod["metadata"], let name = metadata["name"]?.string,
            let namespace = metadata["namespace"]?.string, metadata["deletionTimestamp"]?.string == nil
        else { return [] }
        let annotations = metadata["annotations"]
        return (metadata["labels"]?.object?.members ?? []).compactMap { member in
            guard member.key.hasPrefix(StatusLabels.prefix), let state = member.value.string.flatMap(State.init(label:))
            else { return nil }
            return ClusterContainer(
                namespace: namespace, pod: name, name: String(member.key.dropFirst(StatusLabels.prefix.count)),
                state: state, annotation: annotations?[member.key]?.string.flatMap(StatusAnnotation.init(parsing:)))
        }
    }
}

extension ClusterContainer.State {
    fileprivate init?(label: String) {
        switch label {
        case StatusLabels.running: self = .awake
        case StatusLabels.frozen: self = .frozen
        case StatusLabels.asleep: self = .asleep
        default: return nil
        }
    }
}
