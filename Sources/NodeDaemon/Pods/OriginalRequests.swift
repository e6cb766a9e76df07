import JSON

/// What a container requested before it fell asleep, and what it was lowered to, kept in annotations of the pod itself:
/// they survive everything that the pod survives.
///
/// There is one annotation for each resource, with upstream's names and form: a JSON object from container to quantity.
/// What it was lowered to stands beside it as `CONTAINER/asleep`, which no container can be called: with that a choice of
/// somebody else can be told from our own, even if the flags have changed.
struct OriginalRequests: Equatable {
    static let resources = ["cpu", "memory"]
    /// What upstream lowers to, which writes nothing down.
    private static let upstream = ["cpu": "1m", "memory": "1Ki"]

    struct Entry: Equatable {
        var original: String
        var asleep: String
    }

    private let resource: String
    private var map: [String: String]

    static func key(of resource: String) -> String { "zeropod.ctrox.dev/\(resource)-requests" }

    /// What cannot be read counts as not there.
    init(of resource: String, in pod: Pod) {
        self.resource = resource
        let text = pod.annotations[Self.key(of: resource)]
        map = text.flatMap { try? JSON(parsing: $0) }?.stringMap ?? [:]
    }

    subscript(container: String) -> Entry? {
        get {
            map[container].map { original in
                Entry(original: original, asleep: map["\(container)/asleep"] ?? Self.upstream[resource] ?? "")
            }
        }
        set {
            map[container] = newValue?.original
            map["\(container)/asleep"] = newValue?.asleep
        }
    }

    /// The value of the annotation; nil removes it.
    var text: String? {
        if map.isEmpty { return nil }
        var object = JSON.object(JSON.Object())
        for (key, quantity) in map.sorted(by: { $0.key < $1.key }) { object[key] = .string(quantity) }
        return object.text
    }
}
