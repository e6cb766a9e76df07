/// An HTTP/1 response.
enum HTTPAnswer {
    /// What to answer with again; nil if it is no answer, is not all there, or tells of a failure.
    ///
    /// - Parameters:
    ///   - isCut: More has come than these bytes.
    ///   - isOver: The connection has come to its end behind them.
    static func read(_ bytes: [UInt8], isCut: Bool, isOver: Bool) -> [UInt8]? {
        guard isWell(bytes), let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        if isCut { return headAlone(bytes[..<end.upperBound]) }
        if let length = contentLength(in: bytes[..<end.lowerBound]) {
            return bytes.count - end.upperBound >= length ? bytes : nil
        }
        return isOver ? bytes : nil
    }

    /// Whether a kubelet takes the status for success.
    private static func isWell(_ bytes: [UInt8]) -> Bool { status(bytes).map { (200..<400).contains($0) } ?? false }

    /// `HTTP/1.1 200 OK`: 200.
    static func status(_ bytes: [UInt8]) -> Int? {
        let begin = Array("HTTP/1.".utf8)
        let digits = bytes.dropFirst(begin.count + 2).prefix(3)
        guard bytes.starts(with: begin), digits.count == 3, bytes[begin.count + 1] == UInt8(ascii: " ") else {
            return nil
        }
        return Int(String(decoding: digits, as: UTF8.self)).flatMap { (100..<1000).contains($0) ? $0 : nil }
    }

    private static func contentLength(in head: ArraySlice<UInt8>) -> Int? {
        for line in head.split(separator: UInt8(ascii: "\n")) where line.lowercased(begins: length) {
            let digits = line.dropFirst(length.count).filter { $0 > UInt8(ascii: " ") }
            return Int(String(decoding: digits, as: UTF8.self)).flatMap { $0 < 0 ? nil : $0 }
        }
        return nil
    }

    /// Status and fields, with an empty body.
    private static func headAlone(_ head: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for line in head.split(separator: UInt8(ascii: "\n")) where line != [UInt8(ascii: "\r")] {
            if line.lowercased(begins: length) || line.lowercased(begins: encoding) { continue }
            result += line + [UInt8(ascii: "\n")]
        }
        return result + Array("Content-Length: 0\r\n\r\n".utf8)
    }

    private static let length = Array("content-length:".utf8)
    private static let encoding = Array("transfer-encoding:".utf8)
}
