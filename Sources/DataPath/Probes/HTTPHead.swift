/// The head of an HTTP/1 request, as far as it matters whether two are the same.
package struct HTTPHead: Equatable, Sendable {
    package enum Reading: Equatable, Sendable {
        /// The bytes so far may become one.
        case incomplete
        /// It is not HTTP, or not a request without a body that stands alone.
        case unlike
        case whole(HTTPHead)
    }

    /// The request line and all fields but User-Agent, in which the version of the kubelet is.
    package let key: [UInt8]
    /// User-Agent is a kubelet's.
    package let isKubelets: Bool

    private static let get = Array("GET ".utf8)
    private static let end = Array("\r\n\r\n".utf8)
    private static let agent = Array("user-agent:".utf8)
    private static let kubelet = Array("User-Agent: kube-probe/".utf8)

    /// Reads a GET with nothing behind it. A kubelet sends no other probe.
    package static func read(_ bytes: [UInt8]) -> Reading {
        if !bytes.starts(with: get) { return get.starts(with: bytes) ? .incomplete : .unlike }
        guard let end = bytes.firstRange(of: end) else { return .incomplete }
        // A second request, or a body.
        if end.upperBound != bytes.count { return .unlike }
        var key: [UInt8] = []
        var isKubelets = false
        for line in bytes[..<end.lowerBound].split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: kubelet) { isKubelets = true }
            if !line.lowercased(begins: agent) { key += line + [UInt8(ascii: "\n")] }
        }
        return .whole(HTTPHead(key: key, isKubelets: isKubelets))
    }

    /// Whether these are the first bytes of any HTTP/1 request; nil if that cannot be told yet. Methods are of letters
    /// (RFC 9110, 9.1), and none is longer than 16.
    package static func looksLikeHTTP(_ bytes: [UInt8]) -> Bool? {
        let method = bytes.prefix { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }
        if method.count > 16 { return false }
        if method.count == bytes.count { return nil }
        return !method.isEmpty && bytes[method.count] == UInt8(ascii: " ")
    }
}

extension ArraySlice<UInt8> {
    /// - Parameter prefix: in small letters.
    func lowercased(begins prefix: [UInt8]) -> Bool {
        count >= prefix.count
            && zip(self, prefix).allSatisfy { byte, small in
                byte == small || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") && byte | 0x20 == small)
            }
    }
}

extension [UInt8] {
    /// The first place where `pattern` stands.
    func firstRange(of pattern: [UInt8]) -> Range<Int>? {
        guard let first = pattern.first, count >= pattern.count else { return nil }
        for start in 0...(count - pattern.count)
        where self[start] == first && self[start..<start + pattern.count].elementsEqual(pattern) {
            return start..<start + pattern.count
        }
        return nil
    }
}
