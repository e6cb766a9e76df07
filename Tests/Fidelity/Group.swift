import CRI
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
    var modes: [Mode] = [.eager, .lazy]
    /// The rest is tried by `make compatibility` alone: kinds for which a sleep is waited for in vain, and kinds that are
    /// lost.
    var inEveryRun = true

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
        Group(name: "pending", separate: true, inEveryRun: false),
        Group(name: "quiet"),
        // Each kind has its turn twice.
        Group(name: "outside", cycles: 20, annotations: ["ports-map": "holder=8080,9000,9001,9002/udp"]),
        Group(name: "calls"),
        Group(name: "clocks"),
        Group(name: "stopped", annotations: ["clock": "stopped"]),
        Group(name: "tasks"),
        Group(name: "planted"),
        // They are frozen, or awake, whatever a wake would be like.
        Group(name: "refused", cycles: 2, separate: true, modes: [.eager]),
        Group(name: "awake", separate: true, modes: [.eager], inEveryRun: false),
        Group(name: "lost", inEveryRun: false),
    ]
}

/// How it sleeps and wakes. Frozen is the control: processes that only stand still see what a sleep must not add to.
enum Mode: String, Sendable, CaseIterable {
    case eager, lazy, frozen
    /// In a user namespace of their own, where a wake is always eager.
    case users

    var annotations: [String: String] {
        switch self {
        case .eager, .lazy: ["wake": rawValue]
        case .frozen: ["sleep": "freeze"]
        case .users: [:]
        }
    }

    /// Who root of the container is outside; nil: root.
    var firstUser: Int? { self == .users ? 200_000 : nil }

    func adjust(_ pod: inout PodConfig) { pod.namespaces.userRange = firstUser }
}

/// Some of them, for who writes a kind: `FIDELITY_GROUPS=locks,files FIDELITY_MODES=frozen`. `FIDELITY_GROUPS=all` are
/// all.
enum Selection {
    static let groups = Group.all.filter { group in
        chosen("FIDELITY_GROUPS").map { $0.contains(group.name) || $0 == ["all"] } ?? group.inEveryRun
    }
    /// nil: each group has its own.
    static let modes = chosen("FIDELITY_MODES").map { $0.compactMap(Mode.init) }
    /// `FIDELITY_APPLICATIONS=redis,node`, or all; none by default: they take minutes.
    static let applications = Application.all.filter { application in
        chosen("FIDELITY_APPLICATIONS").map { $0.contains(application.name) || $0 == ["all"] } ?? false
    }

    private static func chosen(_ variable: String) -> [String]? {
        ProcessInfo.processInfo.environment[variable]?.split(separator: ",").map(String.init)
    }
}
