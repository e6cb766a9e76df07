import Glibc

/// Log lines in the form that containerd and runc write: `time=… level=… msg="…" key=value`.
///
/// A line goes out with one write(2), so that lines of several threads do not mix. A reader that is away or slow loses
/// lines rather than stopping the writer.
package final class Log: Sendable {
    package enum Level: String, Sendable {
        case debug
        case info
        case warning
        case error
    }

    private let descriptor: Descriptor
    private let debugging: Bool

    /// - Parameter descriptor: where lines go; made non-blocking.
    package init(to descriptor: consuming Descriptor, debugging: Bool = false) {
        try? descriptor.setNonBlocking()
        self.descriptor = descriptor
        self.debugging = debugging
    }

    package func debug(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, String> = [:]) {
        if debugging { write(.debug, message(), fields) }
    }

    package func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.info, message, fields)
    }

    package func warning(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.warning, message, fields)
    }

    package func error(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.error, message, fields)
    }

    private func write(_ level: Level, _ message: String, _ fields: KeyValuePairs<String, String>) {
        var line = "time=\"\(Self.timestamp())\" level=\(level.rawValue) msg=\(Self.quoted(message))"
        for (name, value) in fields { line += " \(name)=\(Self.quoted(value))" }
        line += "\n"
        line.withUTF8 { _ = try? descriptor.write(UnsafeRawBufferPointer($0)) }
    }

    /// RFC 3339 in UTC with microseconds.
    private static func timestamp() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        let clock = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(padded(time.tv_nsec / 1000, 6))Z"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default: if character.value >= 0x20 { result.unicodeScalars.append(character) }
            }
        }
        return result + "\""
    }
}
