/// A descriptor with several owners: it is closed when the last of them lets go of it.
package final class SharedDescriptor: Sendable {
    package let descriptor: Descriptor

    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}

/// A pipe whose ends go different ways.
package struct SharedPipe: Sendable {
    package let read: SharedDescriptor
    package let write: SharedDescriptor

    /// pipe2(2), close-on-exec.
    package init() throws(SystemError) {
        let pipe = try Descriptor.pipe()
        read = SharedDescriptor(pipe.read)
        write = SharedDescriptor(pipe.write)
    }
}
