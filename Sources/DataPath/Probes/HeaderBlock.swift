/// A header block of HTTP/2 (HPACK, RFC 7541), as far as needed to recognize a health check: the first block of a
/// connection, where no field can refer to one before it. Nothing is decoded; what is looked for is compared in both
/// forms that it may have on the wire, plain and in the Huffman code.
enum HeaderBlock {
    /// A text as it may stand on the wire.
    private struct Text {
        let plain: [UInt8]
        /// Appendix B, filled up with ones. That of the agent, which more follows, happens to end with a byte.
        let huffman: [UInt8]
    }

    private static let path = Text(
        plain: Array("/grpc.health.v1.Health/Check".utf8),
        huffman: [
            0x62, 0x6b, 0x2b, 0x22, 0xf3, 0x94, 0x74, 0x26, 0x75, 0xfb, 0x85, 0x7c, 0x65, 0x1d, 0x09, 0x9d, 0x8b, 0xd3,
            0x94, 0x9d, 0x7f,
        ])
    private static let agent = Text(
        plain: Array("kube-probe/".utf8), huffman: [0xeb, 0x6c, 0x65, 0x5a, 0xbb, 0x0f, 0x19, 0x58])

    /// A field's name may be an index of the static table (appendix A), as grpc-go has it, or spelt out, as the C library
    /// of gRPC does.
    private static let (pathIndices, agentIndex): (Set<Int>, Int) = ([4, 5], 58)
    private static let mostStatic = 61
    private static let pathName = Text(plain: Array(":path".utf8), huffman: [0xb9, 0x58, 0xd3, 0x3f])
    private static let agentName = Text(
        plain: Array("user-agent".utf8), huffman: [0xb5, 0x05, 0xb1, 0x61, 0xcc, 0x5a, 0x93])

    /// Whether it is a kubelet's call of grpc.health.v1.Health/Check.
    static func isHealthCheck(_ block: ArraySlice<UInt8>) -> Bool {
        var rest = block
        var (rightPath, rightAgent) = (false, false)
        while let first = rest.first {
            if first & 0x80 != 0 {
                // A field of the table, name and value: neither of ours is in the static one.
                guard integer(&rest, bits: 7) != nil else { return false }
            } else if first & 0xe0 == 0x20 {
                guard integer(&rest, bits: 5) != nil else { return false }
            } else {
                guard let field = literal(&rest, bits: first & 0x40 != 0 ? 6 : 4) else { return false }
                if pathIndices.contains(field.index) || field.name?.is(pathName) == true {
                    rightPath = field.value.is(path)
                }
                if field.index == agentIndex || field.name?.is(agentName) == true {
                    rightAgent = field.value.begins(with: agent)
                }
            }
        }
        return rightPath && rightAgent
    }

    /// A text of the block.
    private struct Literal {
        let isHuffman: Bool
        let bytes: ArraySlice<UInt8>

        func `is`(_ text: Text) -> Bool { bytes.elementsEqual(isHuffman ? text.huffman : text.plain) }
        func begins(with text: Text) -> Bool { bytes.starts(with: isHuffman ? text.huffman : text.plain) }
    }

    private struct Field {
        /// 0 if the name is not from the static table.
        let index: Int
        /// nil if it is from a table.
        let name: Literal?
        let value: Literal
    }

    private static func literal(_ rest: inout ArraySlice<UInt8>, bits: Int) -> Field? {
        guard let index = integer(&rest, bits: bits) else { return nil }
        var name: Literal?
        if index == 0 {
            name = string(&rest)
            if name == nil { return nil }
        }
        guard let value = string(&rest) else { return nil }
        return Field(index: index <= mostStatic ? index : 0, name: name, value: value)
    }

    private static func string(_ rest: inout ArraySlice<UInt8>) -> Literal? {
        guard let first = rest.first, let length = integer(&rest, bits: 7), length <= rest.count else { return nil }
        defer { rest = rest.dropFirst(length) }
        return Literal(isHuffman: first & 0x80 != 0, bytes: rest.prefix(length))
    }

    /// 5.1. Larger ones than a health check can have are refused.
    private static func integer(_ rest: inout ArraySlice<UInt8>, bits: Int) -> Int? {
        guard let first = rest.popFirst() else { return nil }
        let most = 1 << bits - 1
        var value = Int(first) & most
        if value < most { return value }
        var shift = 0
        while let byte = rest.popFirst() {
            value += Int(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
            if shift > 14 { return nil }
        }
        return nil
    }
}
