import Foundation

/// What a process of the test bundle writes into the file of its `--event-stream-output-path`, a JSON object a line.
struct Event: Decodable {
    struct Payload: Decodable {
        struct Message: Decodable {
            let symbol: String
            let text: String
        }
        struct Instant: Decodable { let absolute: Double }

        let kind: String
        let instant: Instant?
        let messages: [Message]?
        let testID: String?
    }

    let kind: String
    let payload: Payload
}

/// Reads a file of events while it grows. Only what is shown meanwhile depends on when it is read.
struct EventFile {
    private let file: URL
    private var offset = 0
    private let decoder = JSONDecoder()

    init(_ file: URL) throws {
        try Data().write(to: file)
        self.file = file
    }

    /// The whole lines that have come since the last call.
    mutating func next() throws -> [Event] {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(offset))
        let data = try handle.readToEnd() ?? Data()
        guard let end = data.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        offset += end - data.startIndex + 1
        return data[...end].split(separator: UInt8(ascii: "\n")).compactMap { line in
            try? decoder.decode(Event.self, from: Data(line))
        }
    }
}
