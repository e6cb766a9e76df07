import Linux

/// A connected socket on its way through handover and relay, from one thread to the other. Closed with the last reference.
final class OpenSocket: Sendable {
    let descriptor: Descriptor
    var number: Int32 { descriptor.rawValue }

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}
