import Glibc
import Linux

/// Where containerd wants a process's standard streams, as its Create and Exec calls say.
///
/// This room moves the bytes of containers' stdin, stdout and stderr. It knows containerd's fifos, files and logger
/// programs on one side, pipes and terminals on the other, and keeps both sides apart from what happens to the process.
package struct StreamPaths: Equatable, Sendable {
    package var stdin: String
    package var stdout: String
    package var stderr: String
    package var terminal: Bool

    package init(stdin: String = "", stdout: String = "", stderr: String = "", terminal: Bool = false) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.terminal = terminal
    }
}

/// One output stream's destination: a path, or a URL with a scheme that containerd knows.
enum OutputTarget: Equatable, Sendable {
    case none
    /// A fifo as a rule; anything else that can be written to is taken too.
    case path(String)
    case file(String)
    case logger(LoggerURL)

    init(_ text: String) throws(SystemError) {
        guard !text.isEmpty else {
            self = .none
            return
        }
        guard let url = URLParts(text) else {
            self = .path(text)
            return
        }
        switch url.scheme {
        case "fifo": self = .path(url.path)
        case "file": self = .file(url.path)
        case "binary": self = .logger(LoggerURL(url, mustAnnounce: false))
        case "binary-v2": self = .logger(LoggerURL(url, mustAnnounce: true))
        default: throw SystemError("stdio scheme", text, code: EINVAL)
        }
    }

    /// Files and loggers take both streams unless stderr has a place of its own (as the stock shim).
    static func pair(_ paths: StreamPaths) throws(SystemError) -> (stdout: OutputTarget, stderr: OutputTarget) {
        let stdout = try OutputTarget(paths.stdout)
        switch stdout {
        case .logger: return (stdout, stdout)
        case .file: return (stdout, paths.stderr.isEmpty ? stdout : try OutputTarget(paths.stderr))
        case .path, .none: return (stdout, try OutputTarget(paths.stderr))
        }
    }
}

/// `binary:///path/to/logger?name=value&…`
struct LoggerURL: Equatable, Sendable {
    let program: String
    /// Names and values in turn; a name that comes twice counts once.
    let arguments: [String]
    /// Version 2 of the scheme: the logger writes a byte before it closes descriptor 5. In version 1 the end alone
    /// counts, and a logger that crashed cannot be told from one that is ready.
    let mustAnnounce: Bool

    init(_ url: URLParts, mustAnnounce: Bool) {
        program = url.path
        self.mustAnnounce = mustAnnounce
        var arguments: [String] = []
        var seen: Set<String> = []
        for (name, value) in url.query where seen.insert(name).inserted { arguments += [name, value] }
        self.arguments = arguments
    }
}

/// As much of RFC 3986 as stdio addresses use: scheme, path, query.
struct URLParts: Equatable {
    let scheme: String
    let path: String
    let query: [(name: String, value: String)]

    /// Nil for a text without `scheme:`, which is a plain path.
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex, !text[..<colon].contains("/") else {
            return nil
        }
        scheme = text[..<colon].lowercased()
        var rest = text[text.index(after: colon)...]
        if rest.hasPrefix("//") {
            // An authority has no meaning here.
            rest = rest.dropFirst(2).drop { $0 != "/" }
        }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = Self.decode(parts[0], plusIsSpace: false)
        query =
            parts.count < 2
            ? []
            : parts[1].split(separator: "&").map { pair in
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (
                    Self.decode(sides[0], plusIsSpace: true),
                    sides.count < 2 ? "" : Self.decode(sides[1], plusIsSpace: true)
                )
            }
    }

    static func == (left: URLParts, right: URLParts) -> Bool {
        left.scheme == right.scheme && left.path == right.path
            && left.query.elementsEqual(right.query) { $0.name == $1.name && $0.value == $1.value }
    }

    private static func decode(_ text: Substring, plusIsSpace: Bool) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest.removeFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
