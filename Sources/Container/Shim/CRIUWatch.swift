import Checkpoint
import Linux

/// CRIU that hangs: it is ended, a checkpoint then fails, and a restore is tried again.
final class CRIUWatch {
    private let call: CallUnderWay
    private let snapshot: Snapshot
    private let loop: EventLoop
    private let hangs: () -> Void
    private var timer: Timer?

    /// How long CRIU may do nothing at all, no matter how long it takes: a gigabyte from a slow disk takes its time, and
    /// moves. What CRIU waits for while the shim is to do something does not count: that waits for the kernel, all wakes of a
    /// busy node at once, and would begin anew.
    private static let patience = Instant.Span.seconds(10)

    /// - Parameter hangs: called before the call is ended.
    init(_ call: CallUnderWay, _ snapshot: Snapshot, loop: EventLoop, hangs: @escaping () -> Void) {
        (self.call, self.snapshot, self.loop, self.hangs) = (call, snapshot, loop, hangs)
        look()
    }

    private func look() {
        let before = call.progress(snapshot)
        timer = loop.after(Self.patience) { [self] in
            if call.awaitsShim || call.progress(snapshot) != before { return look() }
            hangs()
            call.end()
        }
    }

    func end() {
        if let timer { loop.cancel(timer) }
    }
}

extension Container {
    func watch(_ call: CallUnderWay, _ what: String) -> CRIUWatch {
        CRIUWatch(call, snapshot, loop: context.loop) { [log = context.log, label] in
            log.error("criu does nothing any more, and is ended: \(what)", label)
        }
    }
}
