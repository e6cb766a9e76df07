import JSON

/// What the containers of a pod requested before they fell asleep, and what that was lowered to. With the latter a choice
/// of somebody else can be told from our own, even if the flags have changed.
struct OriginalRequests: Equatable {
    static let resources = ["cpu", "memory"]

    struct Entry: Equatable {
        var original: String
        var asleep: String
    }

    /// By resource, then by container. None is empty.
    private var entries: [String: [String: Entry]] = [:]

    var isEmpty: Bool { entries.isEmpty }

    subscript(resource: String, container: String) -> Entry? {
        get { entries[resource]?[container] }
        set {
            entries[resource, default: [:]][container] = newValue
            if entries[resource]?.isEmpty == true { entries[resource] = nil }
        }
    }

    init() {}

    /// Nil if this is not what `json` gives.
    init?(_ document: JSON) {
        for resource in Self.resources {
            for member in document[resource]?.object?.members ?? [] {
                guard let original = member.value["original"]?.string, let asleep = member.value["asleep"]?.string
                else { return nil }
                self[resource, member.key] = Entry(original: original, asleep: asleep)
            }
        }
    }

    var json: JSON {
        var document = JSON.object(JSON.Object())
        for (resource, containers) in entries.sorted(by: { $0.key < $1.key }) {
            var object = JSON.object(JSON.Object())
            for (name, entry) in containers.sorted(by: { $0.key < $1.key }) {
                object[name] = ["original": .string(entry.original), "asleep": .string(entry.asleep)]
            }
            document[resource] = object
        }
        return document
    }
}
