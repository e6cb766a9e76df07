import Linux

/// One call that a peer makes.
package struct Call {
    package let service: String
    package let method: String
    package let payload: [UInt8]
    /// How long the peer will wait; nil when it sets no limit.
    package let timeout: Instant.Span?
    package let metadata: [(key: String, value: String)]

    /// The first value of a metadata key.
    package func metadata(_ key: String) -> String? {
        metadata.first { $0.key == key }?.value
    }
}

/// Answers the calls of one method.
package typealias Handler = (Call, Reply) -> Void
