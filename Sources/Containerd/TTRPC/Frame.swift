/// ttrpc: calls over a stream socket, as containerd and its shims make them.
///
/// What belongs here: frames, connections, a server and a client. What is called, and with which messages, is known to
/// others. Everything runs on an event loop's thread, nothing blocks, and at rest a connection holds no buffer.
///
/// A frame is a header of 10 bytes and a payload (github.com/containerd/ttrpc, PROTOCOL.md):
///
///     length u32 big-endian | stream u32 big-endian | type u8 | flags u8
struct Frame: Equatable {
    /// Newer peers may send other types; they are to be ignored.
    struct Kind: RawRepresentable, Equatable {
        let rawValue: UInt8

        static let request = Kind(rawValue: 1)
        static let response = Kind(rawValue: 2)
        static let data = Kind(rawValue: 3)
    }

    struct Flags: OptionSet {
        let rawValue: UInt8

        static let remoteClosed = Flags(rawValue: 1)
        static let remoteOpen = Flags(rawValue: 2)
        static let noData = Flags(rawValue: 4)
    }

    static let headerLength = 10
    /// The longest payload either side may send.
    static let longest = 4 << 20

    var stream: UInt32
    var kind: Kind
    var flags: Flags = []
    var payload: [UInt8] = []

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerLength + payload.count)
        for word in [UInt32(truncatingIfNeeded: payload.count), stream] {
            for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        bytes.append(kind.rawValue)
        bytes.append(flags.rawValue)
        bytes.append(contentsOf: payload)
        return bytes
    }
}
