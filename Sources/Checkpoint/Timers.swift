import Glibc
import Linux
import Synchronization

/// Timers that belong to processes (setitimer(2), timer_create(2)). The images hold what was left of each; where the clock
/// has gone on, the time asleep is taken off before a wake. What is due fires at once.
///
/// Descriptors of timers (timerfd_create(2)) are kept and go on by themselves.
final class Timers: Sendable {
    private let clock: SleepClock
    /// Image files with timers that go on.
    private let files: [String]
    /// When the first of them comes due, by CLOCK_BOOTTIME.
    private let first: UInt64?
    /// The time at which the remaining times in the files were right: that of their writing, or of an earlier attempt
    /// to wake.
    private let asOf: Mutex<UInt64>

    /// `task_core_entry`, `task_timers_entry`, `itimer_entry` and `posix_timer_entry` of CRIU's images/core.proto and
    /// images/timer.proto.
    private enum Field {
        static let task: UInt64 = 3
        static let timers: UInt64 = 7
        static let real: UInt64 = 1
        static let posix: UInt64 = 4
    }

    /// Where seconds and the rest of what is left stand, and how many of the latter make a second.
    private struct Place {
        let seconds, rest, unit: UInt64

        static let interval = Place(seconds: 3, rest: 4, unit: 1_000_000)
        static let posix = Place(seconds: 9, rest: 10, unit: 1_000_000_000)
    }

    /// Looks into complete images.
    init(in directory: String, _ clock: SleepClock) throws(CheckpointError) {
        self.clock = clock
        let names: [String]
        do { names = try Files.names(in: directory) } catch { throw .system(error) }
        var (files, least): ([String], UInt64?) = ([], nil)
        for name in names where name.hasPrefix("core-") && name.hasSuffix(".img") {
            let path = "\(directory)/\(name)"
            var isRunning = false
            try Self.editTimers(path, clock) { left in
                isRunning = true
                least = min(least ?? left, left)
                return false
            }
            if isRunning { files.append(path) }
        }
        self.files = files
        let now = Self.now
        first = least.map { now + $0 }
        asOf = Mutex(now)
    }

    var earliest: Instant.Span? {
        let now = Self.now
        return first.map { Instant.Span(nanoseconds: $0 > now ? $0 - now : 0) }
    }

    /// Before each attempt to restore.
    func takeOffSleep() throws(CheckpointError) {
        if files.isEmpty { return }
        let now = Self.now
        let slept = asOf.withLock { asOf in
            defer { asOf = now }
            return now - asOf
        }
        for path in files {
            try Self.editTimers(path, clock) { left in
                // Zero would disarm it.
                left = left > slept ? left - slept : 1
                return true
            }
        }
    }

    /// CLOCK_BOOTTIME in nanoseconds: a node that was suspended has slept as well.
    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// - Parameter change: of what is left in nanoseconds, of each timer that goes on; true if that is written.
    private static func editTimers(
        _ path: String, _ clock: SleepClock, _ change: (inout UInt64) -> Bool
    ) throws(CheckpointError) {
        try ImageFile.edit(path) { entry throws(CheckpointError) in
            guard var task = try entry.message(Field.task, path), var timers = try task.message(Field.timers, path)
            else { return false }
            var hasChanged = false
            for index in timers.fields.indices {
                let field = timers.fields[index]
                guard field.number == Field.real || field.number == Field.posix else { continue }
                var timer = try ImageFile.Message(parsing: field.bytes, path: path)
                // setitimer(2) counts by CLOCK_MONOTONIC (hrtimer_setup of real_timer in kernel/fork.c).
                let counts =
                    field.number == Field.real
                    ? CLOCK_MONOTONIC : Int32(truncatingIfNeeded: timer.number(2) ?? 0)
                guard clock.goesOn(counts) else { continue }
                let place = field.number == Field.real ? Place.interval : .posix
                let scale = 1_000_000_000 / place.unit
                var left = (timer.number(place.seconds) ?? 0) * 1_000_000_000 + (timer.number(place.rest) ?? 0) * scale
                if left == 0 || !change(&left) { continue }
                timer.set(place.seconds, value: left / 1_000_000_000)
                // Rounded up: zero would disarm it.
                timer.set(place.rest, value: (left % 1_000_000_000 + scale - 1) / scale)
                timers.fields[index] = ImageFile.Message.Field(number: field.number, timer.encoded)
                hasChanged = true
            }
            if hasChanged {
                task.set(Field.timers, timers.encoded)
                entry.set(Field.task, task.encoded)
            }
            return hasChanged
        }
    }
}
