/// An HTTP/1 response while it arrives.
struct HTTPAnswer {
    private(set) var bytes: [UInt8] = []
    /// Where the body begins, once all of the head is there.
    private var body: Int?
    /// nil: the body ends with the connection.
    private var length: Int?

    /// - Returns: true when it is complete, or long enough to be cut.
    mutating func take(_ more: [UInt8]) -> Bool {
        bytes += more
        if body == nil, let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
            body = end.upperBound
            length = contentLength(in: bytes[..<end.lowerBound])
        }
        if bytes.count > Answers.mostBytes { return true }
        if let body, let length { return bytes.count - body >= length }
        return false
    }

    /// What is to be answered with; nil if it is no answer.
    ///
    /// - Parameter ended: The connection came to its end.
    func result(ended: Bool) -> [UInt8]? {
        guard let body, bytes.starts(with: Array("HTTP/1.".utf8)) else { return nil }
        if bytes.count > Answers.mostBytes { return headAlone(bytes[..<body]) }
        if let length { return bytes.count - body >= length ? bytes : nil }
        return ended ? bytes : nil
    }

    private func contentLength(in head: ArraySlice<UInt8>) -> Int? {
        for line in head.split(separator: UInt8(ascii: "\n")) where line.lowercased(begins: Self.contentLength) {
            let digits = line.dropFirst(Self.contentLength.count).filter { $0 > UInt8(ascii: " ") }
            return Int(String(decoding: digits, as: UTF8.self))
        }
        return nil
    }

    /// Status and fields, with an empty body.
    private func headAlone(_ head: ArraySlice<UInt8>) -> [UInt8]? {
        if head.count > Answers.mostBytes { return nil }
        var result: [UInt8] = []
        for line in head.split(separator: UInt8(ascii: "\n")) where line != [UInt8(ascii: "\r")] {
            if line.lowercased(begins: Self.contentLength) || line.lowercased(begins: Self.encoding) { continue }
            result += line + [UInt8(ascii: "\n")]
        }
        return result + Array("Content-Length: 0\r\n\r\n".utf8)
    }

    private static let contentLength = Array("content-length:".utf8)
    private static let encoding = Array("transfer-encoding:".utf8)
}
