import Linux

/// Bytes that wait for a socket to take them.
struct OutputQueue {
    /// Small frames are joined up to this size, so that a burst of answers is a few writes.
    private static let chunkSize = 16 << 10

    private var chunks: [[UInt8]] = []
    /// The first chunk that has not been written, and how much of it has.
    private var first = 0
    private var offset = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ bytes: [UInt8]) {
        count += bytes.count
        if let last = chunks.indices.last, last > first, chunks[last].count + bytes.count <= Self.chunkSize {
            chunks[last].append(contentsOf: bytes)
        } else {
            chunks.append(bytes)
        }
    }

    /// Writes what the socket takes.
    mutating func write(to socket: borrowing Descriptor) throws(SystemError) {
        while first < chunks.count {
            guard let written = try socket.write(chunks[first][offset...]) else { return }
            offset += written
            count -= written
            if offset == chunks[first].count {
                chunks[first] = []
                first += 1
                offset = 0
            }
        }
        // Gives the memory back: at rest a connection holds nothing.
        self = OutputQueue()
    }
}
