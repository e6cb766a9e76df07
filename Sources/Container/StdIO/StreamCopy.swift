import Glibc
import Linux

/// Moves one stream's bytes from a source to a sink as they come, and closes both at the source's end.
///
/// It keeps no buffer: between pipes the kernel moves pages (splice(2)); otherwise, and for less than a page, a buffer
/// lives for one turn, and after it only what the sink would not take. While the sink is full the source is not read, so a process that writes
/// faster than containerd reads waits in its own write(2), as it would on a pipe to containerd itself.
final class StreamCopy {
    enum SinkFailure {
        /// Go on reading and throw it away: a process must not hang because a log file's disk is full.
        case discards
        /// Close the source too: nobody reads any more what is written there.
        case ends
    }

    private enum Waiting {
        case forNothing
        case forSource
        case forSink
    }

    private enum Step {
        case moved
        case sourceIsEmpty
        case sinkIsFull
        case ended
    }

    /// What splice(2) is asked for at once: a pipe's usual size.
    private static let portion = 64 << 10
    /// Pages that were spliced stay apart in the sink, and it has room for sixteen: as many lines. Less than a page is
    /// therefore copied, and fills up the last one.
    private static let leastSpliced = 4 << 10
    private static let bufferSize = 16 << 10
    /// More than any pipe holds.
    private static let lastPortions = 64
    /// Portions before the loop's other handlers have their turn.
    private static let portionsPerTurn = 8

    private let loop: EventLoop
    private let onSinkFailure: SinkFailure
    private let report: (String) -> Void
    private let canSplice: Bool
    private var source: SharedDescriptor?
    private var sink: SharedDescriptor?
    /// While it is full. epoll knows each descriptor only once, and another copy may wait for the same one: a terminal
    /// is source and sink, and both outputs may go to one place.
    private var watchedSink: SharedDescriptor?
    /// Read, and not yet taken by the sink.
    private var pending: [UInt8] = []
    private var waiting = Waiting.forNothing
    private var whenEnded: (() -> Void)?

    /// - Parameter sink: nil reads and throws away.
    init(
        from source: SharedDescriptor, to sink: SharedDescriptor?, onSinkFailure: SinkFailure, loop: EventLoop,
        report: @escaping (String) -> Void, whenEnded: @escaping () -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.onSinkFailure = onSinkFailure
        self.report = report
        self.whenEnded = whenEnded
        self.source = source
        self.sink = sink
        canSplice = source.descriptor.isPipe && sink?.descriptor.isPipe ?? false
        try source.descriptor.setNonBlocking()
        try sink?.descriptor.setNonBlocking()
        try wait(.forSource)
    }

    deinit {
        stopWaiting()
    }

    var hasEnded: Bool { source == nil }

    /// Delivers what can be delivered at once, and ends. Whoever goes on writing meanwhile is not waited for.
    func finish() {
        guard let source else { return }
        for _ in 0..<Self.lastPortions { if step() != .moved { break } }
        let lost = pending.count + source.descriptor.bytesReadable
        if lost > 0 { report("standard stream: \(lost) bytes were not taken in time and are lost") }
        end()
    }

    /// Ends without looking at what is left.
    func end() {
        stopWaiting()
        source = nil
        sink = nil
        pending = []
        whenEnded.take()?()
    }

    // MARK: Moving

    private func turn() {
        var portions = 0
        while portions < Self.portionsPerTurn || !pending.isEmpty {
            switch step() {
            case .moved: portions += 1
            case .sourceIsEmpty: return waitOrEnd(.forSource)
            case .sinkIsFull: return waitOrEnd(.forSink)
            case .ended: return end()
            }
        }
        waitOrEnd(.forSource)
    }

    private func step() -> Step {
        guard let source else { return .ended }
        guard let sink else { return discard(from: source.descriptor) }
        guard canSplice else { return copy(source.descriptor, sink.descriptor, atMost: Self.bufferSize) }
        return pending.isEmpty && source.descriptor.bytesReadable >= Self.leastSpliced
            ? splice(source.descriptor, sink.descriptor)
            : copy(source.descriptor, sink.descriptor, atMost: Self.leastSpliced)
    }

    private func splice(_ source: borrowing Descriptor, _ sink: borrowing Descriptor) -> Step {
        do throws(SystemError) {
            guard let count = try source.splice(to: sink, atMost: Self.portion) else {
                // The call does not say which of the two it would have waited for. A guess that is wrong by the time
                // we wait costs one turn.
                return source.bytesReadable > 0 ? .sinkIsFull : .sourceIsEmpty
            }
            return count == 0 ? .ended : .moved
        } catch {
            return sinkFailed(error)
        }
    }

    private func copy(_ source: borrowing Descriptor, _ sink: borrowing Descriptor, atMost count: Int) -> Step {
        if pending.isEmpty {
            guard let bytes = read(source, atMost: count) else { return .sourceIsEmpty }
            if bytes.isEmpty { return .ended }
            pending = bytes
        }
        do throws(SystemError) {
            guard let taken = try sink.write(pending) else { return .sinkIsFull }
            // Gives the memory back as well, when all was taken.
            pending = Array(pending.dropFirst(taken))
            return .moved
        } catch {
            return sinkFailed(error)
        }
    }

    private func discard(from source: borrowing Descriptor) -> Step {
        guard let bytes = read(source, atMost: Self.bufferSize) else { return .sourceIsEmpty }
        return bytes.isEmpty ? .ended : .moved
    }

    /// Nil when there is nothing for now, empty at the end.
    private func read(_ source: borrowing Descriptor, atMost count: Int) -> [UInt8]? {
        do throws(SystemError) {
            return try source.read(atMost: count)
        } catch {
            // A terminal whose last program has gone answers EIO.
            if error.code != EIO { report("standard stream: \(error)") }
            return []
        }
    }

    private func sinkFailed(_ error: SystemError) -> Step {
        pending = []
        switch onSinkFailure {
        case .discards:
            report("standard stream, what follows is lost: \(error)")
            stopWaiting()
            sink = nil
            return .moved
        case .ends:
            return .ended
        }
    }

    // MARK: Waiting

    private func waitOrEnd(_ next: Waiting) {
        do throws(SystemError) {
            try wait(next)
        } catch {
            report("standard stream: \(error)")
            end()
        }
    }

    /// Only one end is watched at a time. The source is not even watched for hang-ups, which cannot be masked, while
    /// the sink is full: a process that has ended would keep the loop spinning.
    private func wait(_ next: Waiting) throws(SystemError) {
        if waiting == next { return }
        stopWaiting()
        switch next {
        case .forNothing: break
        case .forSource:
            guard let source else { return }
            try loop.watch(source.descriptor, .readable) { [unowned self] _ in turn() }
        case .forSink:
            guard let sink else { return }
            let watched = SharedDescriptor(try sink.descriptor.duplicate())
            try loop.watch(watched.descriptor, .writable) { [unowned self] _ in turn() }
            watchedSink = watched
        }
        waiting = next
    }

    private func stopWaiting() {
        switch waiting {
        case .forNothing: break
        case .forSource: if let source { loop.unwatch(source.descriptor.rawValue) }
        case .forSink: if let watchedSink { loop.unwatch(watchedSink.descriptor.rawValue) }
        }
        watchedSink = nil
        waiting = .forNothing
    }
}
