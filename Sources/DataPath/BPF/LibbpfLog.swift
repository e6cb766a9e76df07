import CDataPath
import Synchronization

/// Keeps libbpf off stderr, and its last lines at hand for an error message.
enum LibbpfLog {
    /// libbpf's callback takes no context, so the lines have one place in the process.
    private static let lines = Mutex<[String]>([])
    private static let mostLines = 40

    /// Forgets what was said and collects from now on.
    static func collect() {
        lines.withLock { $0.removeAll() }
        zp_libbpf_log { text in
            if let text { LibbpfLog.add(String(cString: text)) }
        }
    }

    private static func add(_ text: String) {
        lines.withLock { lines in
            lines += text.split(separator: "\n").map(String.init)
            if lines.count > mostLines { lines.removeFirst(lines.count - mostLines) }
        }
    }

    static func take() -> [String] {
        lines.withLock { lines in
            defer { lines.removeAll() }
            return lines
        }
    }
}
