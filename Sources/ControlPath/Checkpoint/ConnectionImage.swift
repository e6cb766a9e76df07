import Linux

/// An open TCP connection as the images have it (`tcp_stream_entry` of CRIU's images/tcp-stream.proto).
package struct ConnectionImage: Equatable, Sendable {
    /// The sequence number of what the peer sends next.
    package let received: UInt32
    /// The own one.
    package let sent: UInt32
    /// The last own timestamp; nil if the connection has none.
    package let timestamp: UInt32?
    /// As it stands in headers.
    package let window: UInt16
    /// Bytes that the application has not read.
    package let unread: UInt32

    /// `TCPI_OPT_TIMESTAMPS` of <linux/tcp.h>.
    private static let timestamps: UInt64 = 1

    /// - Returns: nil if the message lacks what every version of CRIU writes.
    init?(_ message: ImageFile.Message) {
        func number(_ field: UInt64) -> UInt32? { message.number(field).map { UInt32(truncatingIfNeeded: $0) } }
        guard let unread = number(1), let received = number(2), let written = number(4), let options = message.number(5)
        else { return nil }
        self.unread = unread
        self.received = received
        sent = written &- (number(12) ?? 0)
        timestamp = options & Self.timestamps == 0 ? nil : number(9)
        window = UInt16(clamping: (number(16) ?? 0) >> min(number(8) ?? 0, 14))
    }
}

extension ImageFile {
    /// The open connections in the images, by the inode number of their socket, which their files are named for.
    static func connections(in directory: String) throws(CheckpointError) -> [UInt64: ConnectionImage] {
        let names: [String]
        do { names = try Files.names(in: directory) } catch { throw .system(error) }
        var connections: [UInt64: ConnectionImage] = [:]
        for name in names where name.hasPrefix("tcp-stream-") && name.hasSuffix(".img") {
            let path = "\(directory)/\(name)"
            let message = try entry(path, headerSize: 8, isAlone: false)
            guard let inode = UInt64(name.dropFirst("tcp-stream-".count).dropLast(".img".count), radix: 16),
                let connection = ConnectionImage(message)
            else { throw .badImage(path: path) }
            connections[inode] = connection
        }
        return connections
    }
}
