import CBPF
import CDataPath
import Glibc
import Linux

/// Packets that came for connections whose processes are away, as the ingress program of a pod tells of them.
package final class Arrivals {
    /// Told of each packet: from its IP header on, or empty if it was too long to be kept.
    package typealias Handler = ([UInt8]) -> Void

    private let loop: EventLoop
    private let map: Descriptor
    private var ring: OpaquePointer?
    private var handlers: [UInt32: Handler] = [:]

    package init(pod: String, loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let path = PodPins(pod: pod).path(.arrivals)
        map = Descriptor(owning: try retrying("bpf_obj_get", path) { bpf_obj_get(path) })
    }

    deinit {
        if let ring { ring_buffer__free(ring) }
    }

    package func handle(slot: UInt32, _ handler: @escaping Handler) throws(SystemError) {
        if ring == nil { try open() }
        handlers[slot] = handler
    }

    /// What has come before is told, what comes later is not.
    package func ignore(slot: UInt32) {
        take()
        handlers[slot] = nil
        if handlers.isEmpty { close() }
    }

    private func open() throws(SystemError) {
        let tell: ring_buffer_sample_fn = { context, bytes, size in
            guard let context, let bytes else { return 0 }
            Unmanaged<Arrivals>.fromOpaque(context).takeUnretainedValue().tell(
                UnsafeRawBufferPointer(start: bytes, count: size))
            return 0
        }
        guard let ring = ring_buffer__new(map.rawValue, tell, Unmanaged.passUnretained(self).toOpaque(), nil) else {
            throw .last("ring_buffer__new", "arrivals")
        }
        self.ring = ring
        // What nobody has asked for is old.
        take()
        try loop.watch(ring_buffer__epoll_fd(ring), .readable) { [unowned self] _ in take() }
    }

    private func close() {
        guard let ring else { return }
        loop.unwatch(ring_buffer__epoll_fd(ring))
        ring_buffer__free(ring)
        self.ring = nil
    }

    private func take() {
        if let ring { _ = ring_buffer__consume(ring) }
    }

    private func tell(_ record: UnsafeRawBufferPointer) {
        guard record.count >= MemoryLayout<zp_arrival>.size,
            let start = MemoryLayout<zp_arrival>.offset(of: \zp_arrival.bytes)
        else { return }
        let slot = record.loadUnaligned(as: UInt32.self)
        let length = Int(record.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard start + length <= record.count else { return }
        handlers[slot]?(Array(record[start..<start + length]))
    }
}
