/// The visitor that a message offers its fields to. Reading or writing, it is the same type, so that a message's
/// `visit` is compiled once.
///
/// Reading: the wire's next tag is known; a field that has its number takes the value, and every other field does
/// nothing. Fields mostly come in the order of their numbers, so that one visit takes them all; what no visit takes is
/// unknown and is skipped.
package struct Fields {
    /// Deeper than any message we know; what bounds the stack is this and not the sender.
    static let deepest = 32

    let isReading: Bool
    var input: WireReader
    var output = WireWriter()
    private var depth = 0

    init() {
        isReading = false
        input = WireReader([])
    }

    init(reading bytes: [UInt8]) {
        isReading = true
        input = WireReader(bytes)
    }

    /// Reads fields until the end of the (embedded) message. They are added to what `message` holds already: that is
    /// what the format asks for when a message comes in several pieces.
    mutating func readAll<M: Message>(into message: inout M) throws(ProtobufError) {
        try input.advance()
        while input.tag != nil {
            let before = input.position
            try message.visit(&self)
            if input.position == before {
                try input.skip()
                try input.advance()
            }
        }
    }

    mutating func writeAll<M: Message>(of message: M) {
        var message = message
        do throws(ProtobufError) {
            try message.visit(&self)
        } catch {
            // Only reading throws.
        }
    }

    /// Reads or writes an embedded message, without its tag.
    mutating func embedded<M: Message>(_ name: StaticString, _ message: inout M) throws(ProtobufError) {
        if !isReading {
            let mark = output.mark
            writeAll(of: message)
            output.closeDelimited(mark)
            return
        }
        if depth == Self.deepest { throw ProtobufError(.tooDeep, name) }
        depth += 1
        let outerEnd = try input.enter(name)
        do throws(ProtobufError) {
            try readAll(into: &message)
        } catch {
            throw error.inside(name.description)
        }
        input.leave(outerEnd)
        depth -= 1
    }
}
