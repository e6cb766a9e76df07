import Glibc
import Linux

/// Calls back when the pod's kernel has refused a connection, to a port on which nobody listens (`bpf/refusals.h`).
/// Waiting for it costs no timer. Lives on the loop's thread, for all containers of the pod.
package final class RefusalWatch {
    private let ring: PinnedMap<UInt64, UInt64>
    private let loop: EventLoop
    private var callbacks: [UInt32: () -> Void] = [:]

    package init(of redirector: Redirector, loop: EventLoop) throws(SystemError) {
        ring = try PinnedMap(redirector.pins.path(.refusals))
        self.loop = loop
    }

    deinit {
        loop.unwatch(ring.descriptor.rawValue)
    }

    /// - Parameters:
    ///   - key: the caller's, for `stop`.
    ///   - onRefusal: Called at each refusal from now on.
    package func start(_ key: UInt32, _ onRefusal: @escaping () -> Void) throws(SystemError) {
        if callbacks.isEmpty {
            // Drops the record of a refusal that came while nobody slept.
            try drain()
            try loop.watch(ring.descriptor, .readable) { [unowned self] _ in refused() }
        }
        callbacks[key] = onRefusal
    }

    package func stop(_ key: UInt32) {
        guard callbacks.removeValue(forKey: key) != nil, callbacks.isEmpty else { return }
        loop.unwatch(ring.descriptor.rawValue)
    }

    private func refused() {
        let callbacks = callbacks.values
        do throws(SystemError) {
            try drain()
        } catch {
            // It would be readable for ever.
            loop.unwatch(ring.descriptor.rawValue)
            self.callbacks = [:]
        }
        for callback in callbacks { callback() }
    }

    /// Takes what is in the ring. Its two positions, the reader's and the writer's, are numbers at the beginning of a page
    /// each (linux/kernel/bpf/ringbuf.c); they are mapped for that moment only.
    private func drain() throws(SystemError) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let read = try map(page, PROT_READ | PROT_WRITE, at: 0)
        defer { munmap(read, page) }
        let written = try map(page, PROT_READ, at: page)
        defer { munmap(written, page) }
        read.storeBytes(of: written.load(as: UInt.self), as: UInt.self)
    }

    private func map(_ length: Int, _ protection: Int32, at offset: Int) throws(SystemError) -> UnsafeMutableRawPointer
    {
        guard let start = mmap(nil, length, protection, MAP_SHARED, ring.descriptor.rawValue, offset),
            start != MAP_FAILED
        else { throw .last("mmap", "the ring of refused connections") }
        return start
    }
}
