import Checkpoint
import Linux

/// What belongs to a container in the state that it is in, and goes with that state. `Lifecycle` decides which one is next.
enum Stage {
    /// Its processes run, or have not been started yet.
    case awake
    /// The sleep has been decided.
    case fallingAsleep(SleepAttempt)
    case asleep(Asleep)
    case waking(WakeAttempt)
    case frozen(Frost)
    case ended
}

/// A way into sleep, from the decision on.
final class SleepAttempt {
    /// Bytes that the processes have in memory.
    let memory: UInt64?
    /// Why connections cannot be held. Without that there must be no sleep.
    let holdFailure: SystemError?
    /// Set from when CRIU is looked for until it is known how the dump has ended.
    var dump: DumpUnderWay?

    init(memory: UInt64?, holdFailure: SystemError?) {
        self.memory = memory
        self.holdFailure = holdFailure
    }
}

/// What is left of a container whose processes are images.
struct Asleep {
    let sleeper: Sleeper
    /// What the init does with signals.
    let dispositions: SignalDispositions?
    /// What of its memory may come back after it has woken.
    let lazyMemory: LazyMemory
    /// Bytes that the processes had in memory.
    let memory: UInt64?
    /// criu, as far as it is made ready for the wake.
    var prepared: CRIUService?
}

/// A way out of sleep, with all its attempts.
final class WakeAttempt {
    var asleep: Asleep
    /// How often in a row a restore has failed.
    var failures = 0
    /// The restore under way.
    var call: CallUnderWay?

    init(_ asleep: Asleep) { self.asleep = asleep }
}

extension Container {
    /// What the processes had open, and where they were, as long as they are away.
    var sleeper: Sleeper? {
        switch stage {
        case .asleep(let asleep): asleep.sleeper
        case .waking(let attempt): attempt.asleep.sleeper
        case .awake, .fallingAsleep, .frozen, .ended: nil
        }
    }

    /// The checkpoint under way.
    var dump: DumpUnderWay? {
        if case .fallingAsleep(let attempt) = stage { attempt.dump } else { nil }
    }

    /// The restore under way.
    var restoreUnderWay: CallUnderWay? {
        if case .waking(let attempt) = stage { attempt.call } else { nil }
    }

    var frost: Frost? {
        if case .frozen(let frost) = stage { frost } else { nil }
    }
}
