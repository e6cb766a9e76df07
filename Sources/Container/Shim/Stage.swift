import Checkpoint
import Linux
import Synchronization

/// The data of a container's state, dropped when the state is left. `Lifecycle` decides which one is next.
enum Stage {
    /// Its processes run, or have not been started yet. If they were restored, memory may still come.
    case awake(ComingMemory?)
    /// The sleep has been decided.
    case fallingAsleep(SleepAttempt)
    case asleep(Asleep)
    case waking(WakeAttempt)
    case frozen(Frost)
    /// It could not be restored. Its images are kept for a person to look at.
    case failed
    case ended
}

/// A way into sleep, from the decision on.
final class SleepAttempt {
    /// Bytes that the processes have in memory.
    let memory: UInt64?
    /// Why connections cannot be held. Without that there must be no sleep.
    let holdFailure: SystemError?
    let wish = Wish()

    init(memory: UInt64?, holdFailure: SystemError?) {
        self.memory = memory
        self.holdFailure = holdFailure
    }

    /// That it shall sleep, as the loop and the thread of a checkpoint share it.
    final class Wish: Sendable {
        private let state = Mutex(true)

        func giveUp() { state.withLock { $0 = false } }
        var holds: Bool { state.withLock { $0 } }
    }
}

/// What is left of a container whose processes are images.
struct Asleep {
    let wayBack: WayBack
    /// Whether a part of its memory comes back after it has woken.
    let isLazy: Bool
    /// Bytes that the processes had in memory.
    let memory: UInt64?
    /// Its part of the processors when it fell asleep.
    let shares: ProcessorShares?
}

/// A way out of sleep, with all its attempts.
final class WakeAttempt {
    let asleep: Asleep
    /// How often in a row a restore has failed.
    var failures = 0
    /// The restore under way.
    var call: CallUnderWay?

    init(_ asleep: Asleep) { self.asleep = asleep }
}

/// Memory of a container that runs already.
final class ComingMemory {
    let pages: PagesToCome
    /// Called when all is there, or the container has ended.
    var waiting: [() -> Void] = []
    /// Some will never come: the container is being ended for it.
    var isLost = false

    init(_ pages: PagesToCome) { self.pages = pages }

    /// Nobody waits any more.
    func end() {
        pages.letGo()
        for body in waiting { body() }
        waiting = []
    }
}

extension Container {
    /// The way back to the processes, as long as they are away.
    var wayBack: WayBack? {
        switch stage {
        case .asleep(let asleep): asleep.wayBack
        case .waking(let attempt): attempt.asleep.wayBack
        case .awake, .fallingAsleep, .frozen, .failed, .ended: nil
        }
    }

    var comingMemory: ComingMemory? {
        if case .awake(let memory) = stage { memory } else { nil }
    }

    var frost: Frost? {
        if case .frozen(let frost) = stage { frost } else { nil }
    }
}
