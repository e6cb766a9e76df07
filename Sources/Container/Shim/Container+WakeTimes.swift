import Lifecycle
import Linux

/// Waking by the clock. Without the annotation `wake-at` a sleeping container has no timer.
extension Container {
    /// The container sleeps from now on: sets the timer of its next wake. Frozen processes have no images to look into,
    /// so for them only schedules count.
    func scheduleWake(_ wayBack: WayBack? = nil) {
        cancelWake()
        let times = configuration.wakeAt
        if times.isEmpty { return }
        let now = Int(WallClockTime.now.seconds)
        let spans = [
            times.next(after: now).map { Instant.Span.seconds(UInt64($0 - now)) },
            times.timers ? wayBack?.earliestTimer() : nil,
        ].compactMap(\.self)
        guard let span = spans.min() else { return }
        wakeTimer = context.loop.after(span) { [weak self] in
            guard let self else { return }
            wakeTimer = nil
            if lifecycle.state.isAsleep { wakeNow(for: .time) { _ in } }
        }
    }

    /// The container is awake, or has ended.
    func cancelWake() {
        if let wakeTimer { context.loop.cancel(wakeTimer) }
        wakeTimer = nil
    }
}
