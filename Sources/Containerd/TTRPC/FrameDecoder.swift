/// Cuts a stream of bytes into frames. A value without I/O: bytes in, frames out, however the bytes are divided.
///
/// What it holds between two calls is the unfinished frame only. The claimed length of a frame reserves nothing: memory
/// grows with what has truly arrived.
struct FrameDecoder {
    enum Event: Equatable {
        case frame(Frame)
        /// A frame longer than allowed has been passed over.
        case oversized(stream: UInt32, length: UInt32)
        /// This cannot be ttrpc. Nothing more comes out.
        case garbage(length: UInt32)
    }

    /// Old peers send what they like, and it is passed over (ttrpc before 1.2 did not look at the length of what it
    /// sent). But nobody means this much: another protocol's first bytes, read as a length, do ("GET " is 1.1 GiB).
    static let longestDiscarded: UInt32 = 64 << 20

    private enum State {
        case header
        case payload(length: Int)
        case discarding(rest: Int)
        case stuck
    }

    private var state = State.header
    private var pending: [UInt8] = []
    private var stream: UInt32 = 0
    private var length: UInt32 = 0
    private var kind = Frame.Kind(rawValue: 0)
    private var flags: Frame.Flags = []

    /// Between two frames: where a stream may end.
    var isAtBoundary: Bool {
        if case .header = state { return pending.isEmpty }
        return false
    }

    /// Bytes that the unfinished frame keeps in memory.
    var heldMemory: Int { pending.capacity }

    mutating func decode(_ bytes: [UInt8]) -> [Event] {
        var events: [Event] = []
        var rest = bytes[...]
        while true {
            switch state {
            case .header:
                take(Frame.headerLength, from: &rest)
                if pending.count < Frame.headerLength { return events }
                readHeader()
                if case .stuck = state { events.append(.garbage(length: length)) }
            case .payload(let length):
                take(length, from: &rest)
                if pending.count < length { return events }
                events.append(.frame(Frame(stream: stream, kind: kind, flags: flags, payload: pending)))
                // The frame has taken the buffer along.
                pending = []
                state = .header
            case .discarding(let missing):
                let count = min(missing, rest.count)
                rest.removeFirst(count)
                state = .discarding(rest: missing - count)
                if count < missing { return events }
                events.append(.oversized(stream: stream, length: length))
                state = .header
            case .stuck:
                return events
            }
        }
    }

    /// Moves bytes over until `pending` has `count`.
    private mutating func take(_ count: Int, from rest: inout ArraySlice<UInt8>) {
        let part = rest.prefix(count - pending.count)
        pending.append(contentsOf: part)
        rest.removeFirst(part.count)
    }

    private mutating func readHeader() {
        func word(_ offset: Int) -> UInt32 {
            pending[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        length = word(0)
        stream = word(4)
        kind = Frame.Kind(rawValue: pending[8])
        flags = Frame.Flags(rawValue: pending[9])
        pending = []
        if length <= Frame.longest {
            state = .payload(length: Int(length))
        } else {
            state = length <= Self.longestDiscarded ? .discarding(rest: Int(length)) : .stuck
        }
    }
}
