import Linux

/// A connected socket on its way through handover and relay. Closed with the last reference.
final class OpenSocket {
    let descriptor: Descriptor
    var number: Int32 { descriptor.rawValue }

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}
