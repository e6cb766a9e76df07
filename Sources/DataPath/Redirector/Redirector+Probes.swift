import CDataPath
import Linux

/// A request of a probe that the kernel's programs kept, with what the application has answered to it.
package struct CapturedRequest: Equatable, Sendable {
    /// The address of who asked. IPv4 addresses are mapped, as in `SocketAddress`.
    package let asker: UInt128
    package let port: UInt16
    /// When such a request was seen last.
    package let last: Instant
    package let bytes: [UInt8]
    /// The first bytes of the answer.
    package let answer: [UInt8]
    /// The answer was longer than that.
    package let isCut: Bool
    /// The application has ended the connection behind its answer.
    package let isOver: Bool

    package init(
        asker: UInt128, port: UInt16, last: Instant, bytes: [UInt8], answer: [UInt8] = [], isCut: Bool = false,
        isOver: Bool = false
    ) {
        self.asker = asker
        self.port = port
        self.last = last
        self.bytes = bytes
        self.answer = answer
        self.isCut = isCut
        self.isOver = isOver
    }
}

extension Redirector {
    /// From which addresses a kubelet's probes may come. The ones given before are forgotten.
    ///
    /// - Parameters:
    ///   - addresses: the node's; of too many, the lowest count.
    ///   - others: always count.
    package func setProbers(_ addresses: Set<UInt128>, besides others: Set<UInt128> = []) throws(SystemError) {
        let all = others + addresses.subtracting(others).sorted()
        let wanted = Set(all.prefix(Int(ZP_MAX_PROBERS)).map(\.bigEndian))
        try Self.fill(probers, wanted)
        // Without a tracker nobody needs to be told.
        if let tracker = try? PinnedMap<UInt128, UInt8>(Tracker.probers), !wanted.isEmpty {
            try Self.fill(tracker, wanted)
        }
    }

    private static func fill(_ map: borrowing PinnedMap<UInt128, UInt8>, _ wanted: Set<UInt128>) throws(SystemError) {
        let present = Set(map.keys(limit: Int(ZP_MAX_PROBERS)))
        for address in present.subtracting(wanted) { try map.remove(address) }
        for address in wanted.subtracting(present) { try map.set(address, to: 1) }
    }

    /// How many bytes of a request are kept.
    package static let longestRequest = Int(ZP_REQUEST_SIZE)

    /// The requests of probes that were seen lately, those that are too long to be kept whole left out.
    package var capturedRequests: [CapturedRequest] {
        (0..<UInt32(ZP_MAX_REQUESTS)).compactMap { place in
            requests.bytes(of: place, count: MemoryLayout<zp_request>.size).flatMap(Self.request)
        }
    }

    private static func request(_ value: [UInt8]) -> CapturedRequest? {
        value.withUnsafeBytes { value in
            func field<Field: BitwiseCopyable>(_ path: KeyPath<zp_request, Field>) -> Field? {
                MemoryLayout<zp_request>.offset(of: path).map {
                    value.loadUnaligned(fromByteOffset: $0, as: Field.self)
                }
            }
            guard let hash = field(\.hash), hash != 0, let last = field(\.last), let port = field(\.port),
                let length = field(\.length).map(Int.init), let whole = field(\.whole), whole == length,
                let address = MemoryLayout<zp_request>.offset(of: \.remote),
                let start = MemoryLayout<zp_request>.offset(of: \.bytes), start + length <= value.count,
                let reply = MemoryLayout<zp_request>.offset(of: \.reply),
                let answered = field(\.answered).map(Int.init), let isOver = field(\.is_over)
            else { return nil }
            let asker = UInt128(bigEndian: value.loadUnaligned(fromByteOffset: address, as: UInt128.self))
            let kept = min(answered, Int(ZP_ANSWER_SIZE))
            return CapturedRequest(
                asker: asker, port: port, last: Instant(nanoseconds: last),
                bytes: Array(value[start..<start + length]), answer: Array(value[reply..<reply + kept]),
                isCut: answered > kept, isOver: isOver != 0)
        }
    }
}
