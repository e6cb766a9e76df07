import Linux
import Synchronization

/// When the steps of a checkpoint or a restore were reached, for the debug log: where the time of a wake goes.
package final class StepTimes: Sendable {
    private let began: Instant
    private let steps = Mutex<[(name: String, at: Instant)]>([])

    package init(from began: Instant) { self.began = began }

    package func reached(_ step: String) {
        let now = Instant.now
        steps.withLock { $0.append((step, now)) }
    }

    func has(_ step: String) -> Bool { steps.withLock { $0.contains { $0.name == step } } }

    /// Each step with the microseconds since the one before it.
    package var description: String {
        steps.withLock { steps in
            var before = began
            return steps.map { step in
                defer { before = step.at }
                return "\(step.name) \(step.at.since(before).nanoseconds / 1000)"
            }.joined(separator: ", ")
        }
    }
}
