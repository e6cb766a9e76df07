import Checkpoint
import Linux

/// CRIU that hangs: it is ended, a checkpoint then fails, and a restore is tried again.
extension Container {
    /// How long CRIU may do nothing at all, no matter how long it takes: a gigabyte from a slow disk takes its time, and
    /// moves.
    private static let patience = Instant.Span.seconds(10)

    func watch(_ call: CallUnderWay, _ what: String) {
        let before = call.progress(snapshot)
        criuWatch = context.loop.after(Self.patience) { [weak self] in
            guard let self else { return }
            if call.progress(snapshot) != before { return watch(call, what) }
            context.log.error("criu does nothing any more, and is ended: \(what)", label)
            call.end()
        }
    }

    func endWatch() {
        if let criuWatch { context.loop.cancel(criuWatch) }
        criuWatch = nil
    }
}
