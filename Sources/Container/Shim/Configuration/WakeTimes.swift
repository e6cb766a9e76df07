import Linux

/// What wakes a container by the clock: the annotation `wake-at`, schedules of cron and the word `timers`, separated by
/// semicolons.
struct WakeTimes: Equatable, Sendable {
    private(set) var schedules: [CronSchedule] = []
    /// The earliest timer of the processes.
    private(set) var timers = false

    init() {}

    init(_ text: String) throws(CronSchedule.Complaint) {
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            let words = String(part).split(separator: " ")
            if words == ["timers"] { timers = true } else { try add(CronSchedule(String(part)), String(part)) }
        }
    }

    /// They are looked through at each sleep, by the thread that serves all containers of the pod.
    private static let mostSchedules = 16

    private mutating func add(_ schedule: CronSchedule, _ text: String) throws(CronSchedule.Complaint) {
        if schedules.count == Self.mostSchedules {
            throw CronSchedule.Complaint(text: "more than \(Self.mostSchedules) schedules")
        }
        guard schedule.next(after: Int(WallClockTime.now.seconds)) != nil else {
            throw CronSchedule.Complaint(text: "\"\(text)\" never comes")
        }
        schedules.append(schedule)
    }

    var isEmpty: Bool { schedules.isEmpty && !timers }

    /// Seconds since 1970; nil if no schedule ever comes.
    func next(after now: Int) -> Int? { schedules.compactMap { $0.next(after: now) }.min() }
}
