import JSON

/// Events of a watch: one JSON object a line, which may come in pieces.
struct WatchEvents {
    /// No object in a cluster is larger than what etcd takes (1.5 MiB); what is longer is no watch.
    private static let longest = 8 << 20

    enum Event: Equatable {
        case present(JSON)
        case deleted(JSON)
        /// Nothing has changed up to this version.
        case bookmark(version: String)
        /// Versions as old as ours are no longer known: everything has to be listed anew.
        case expired
        case failed(APIFailure)
    }

    private var rest: [UInt8] = []

    mutating func take(_ bytes: [UInt8]) -> [Event] {
        var events: [Event] = []
        rest += bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if end > 0 { events.append(Self.event(Array(rest[..<end]))) }
            rest.removeFirst(end + 1)
        }
        if rest.count > Self.longest {
            rest = []
            events.append(.failed(APIFailure(status: 0, message: "an event of the watch has no end")))
        }
        return events
    }

    private static func event(_ line: [UInt8]) -> Event {
        guard let document = try? JSON(parsing: line), let type = document["type"]?.string,
            let object = document["object"]
        else {
            let text = String(decoding: line.prefix(80), as: UTF8.self)
            return .failed(APIFailure(status: 0, message: "this is no event of a watch: \(text)"))
        }
        switch type {
        case "ADDED", "MODIFIED": return .present(object)
        case "DELETED": return .deleted(object)
        case "BOOKMARK": return .bookmark(version: object["metadata"]?["resourceVersion"]?.string ?? "")
        default:
            let failure = APIFailure(status: 0, object, line)
            return failure.status == 410 || failure.reason == "Expired" ? .expired : .failed(failure)
        }
    }
}
