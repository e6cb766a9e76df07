/// What is looked at, and whether it is as it should be; both as Python prints them.
struct Check: Codable, Sendable {
    let what: String
    let expected: String
    let seen: String

    var holds: Bool { expected == seen }

    init(what: String, expected: String, seen: String) {
        (self.what, self.expected, self.seen) = (what, expected, seen)
    }

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        what = try list.decode(String.self)
        expected = try list.decode(String.self)
        seen = try list.decode(String.self)
    }
}

/// A kind as `Programs/kind.py` has it.
struct Kind: Decodable, Sendable {
    let holds: String
    let asleep: String
    let name: String
    /// What the reason must say if the container is frozen for it; empty where it must not be.
    let refusal: String
}

/// What the container that sleeps answers.
struct HolderAnswer: Decodable, Sendable {
    let count: Int
    let kinds: [Kind]
    /// What this machine does not have, and why.
    let absent: [String: String]
    let checks: [String: [Check]]?
}
