import JSON
import Linux

/// The words of the daemon's command line. One dash or two, and a value after `=` or as the next word: the manifests of
/// upstream zeropod are written for Go's way.
struct Flags {
    private var words: [String]

    init(_ words: [String]) { self.words = words }

    /// Takes the next flag off; nil at the end.
    mutating func next() throws(FlagError) -> (name: String, value: String?)? {
        guard let word = words.first else { return nil }
        words.removeFirst()
        guard word.hasPrefix("-"), word.count > 1 else { throw FlagError("'\(word)' is one word too many") }
        let text = word.drop { $0 == "-" }
        guard let equals = text.firstIndex(of: "=") else { return (String(text), nil) }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// The value of a flag that needs one.
    mutating func value(of flag: (name: String, value: String?)) throws(FlagError) -> String {
        if let value = flag.value { return value }
        guard let word = words.first else { throw FlagError("--\(flag.name) needs a value") }
        words.removeFirst()
        return word
    }

    /// Whether a flag is on: named alone, or with a value as Go reads it.
    static func isOn(_ flag: (name: String, value: String?)) throws(FlagError) -> Bool {
        switch flag.value?.lowercased() {
        case nil, "1", "t", "true": return true
        case "0", "f", "false": return false
        case let value?: throw FlagError("--\(flag.name) is \"\(value)\": neither true nor false")
        }
    }
}

package struct FlagError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = "zeropod node: \(description)" }
}
