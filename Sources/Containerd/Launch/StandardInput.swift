import Linux

/// What containerd writes to the standard input of an action.
///
/// It closes its end at once. Others who run the program by hand may give it a terminal, or a pipe that is never closed:
/// they must not wait for ever either.
enum StandardInput {
    /// The stock shim's number.
    private static let longest = 10 << 20
    /// What containerd writes is there before the program runs; this is for a machine that is short of everything.
    private static let patience = Instant.Span.seconds(5)

    /// Empty if there is nothing to read, or nobody who writes.
    static func read() throws(SystemError) -> [UInt8] {
        guard let input = Descriptor.standardInput(), !input.isTerminal else { return [] }
        return try input.readAll(limit: longest, before: .now + patience)
    }
}
