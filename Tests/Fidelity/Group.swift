import Foundation

/// Kinds of things that processes hold, which do not disturb one another, so that one container holds them all.
/// `Programs/groups/NAME.py` has them: an array, `KINDS`, to which a new kind is added.
struct Group: Sendable, CustomStringConvertible {
    let name: String
    /// How often it sleeps and wakes.
    var cycles = 3
    /// Each kind gets a container of its own.
    var separate = false
    var annotations: [String: String] = [:]

    var description: String { name }

    static let all = [
        Group(name: "files"),
        Group(name: "deleted"),
        Group(name: "mappings"),
        Group(name: "places"),
        Group(name: "locks"),
        Group(name: "channels"),
        Group(name: "events"),
        Group(name: "local"),
        Group(name: "network"),
        Group(name: "pending", separate: true),
        Group(name: "quiet"),
        // Each kind has its turn twice.
        Group(name: "outside", cycles: 20, annotations: ["ports-map": "holder=8080,9000,9001,9002/udp"]),
        Group(name: "calls"),
        Group(name: "clocks"),
        Group(name: "tasks"),
        Group(name: "planted"),
        Group(name: "refused", separate: true),
    ]
}

/// How it sleeps and wakes. Frozen is the control: processes that only stand still see what a sleep must not add to.
enum Mode: String, Sendable, CaseIterable {
    case eager, lazy, frozen

    var annotations: [String: String] { self == .frozen ? ["sleep": "freeze"] : ["wake": rawValue] }
}

/// Some of them, for who writes a kind: `FIDELITY_GROUPS=locks,files FIDELITY_MODES=frozen`.
enum Selection {
    static let groups =
        chosen("FIDELITY_GROUPS").map { names in Group.all.filter { names.contains($0.name) } } ?? Group.all
    static let modes = chosen("FIDELITY_MODES").map { $0.compactMap(Mode.init) } ?? [.eager, .lazy]

    private static func chosen(_ variable: String) -> [String]? {
        ProcessInfo.processInfo.environment[variable]?.split(separator: ",").map(String.init)
    }
}
