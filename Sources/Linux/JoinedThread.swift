import Glibc

/// A thread of which nothing stays when it has been waited for. Of others the C library keeps the stack for the next one,
/// with some 20 kB of it in use.
package struct JoinedThread: Sendable {
    private let thread: pthread_t
    /// Its address.
    private let stack: UInt

    /// Enough for system calls and a little Swift, and a page below it: on arm64 one may have 64 kB.
    private static let stackSize = 128 << 10

    /// - Parameter name: at most 15 bytes.
    package init(_ name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK
        guard let memory = mmap(nil, Self.stackSize, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
            throw .last("mmap", "stack of \(name)")
        }
        // What overflows shall not reach what lies below.
        mprotect(memory, Int(getpagesize()), PROT_NONE)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstack(&attributes, memory, Self.stackSize)
        do throws(SystemError) {
            thread = try Thread.create(name, attributes, run)
        } catch {
            munmap(memory, Self.stackSize)
            throw error
        }
        stack = UInt(bitPattern: memory)
    }

    /// Waits for its end. Once.
    package func join() {
        pthread_join(thread, nil)
        munmap(UnsafeMutableRawPointer(bitPattern: stack), Self.stackSize)
    }
}
