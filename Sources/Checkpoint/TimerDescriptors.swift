import CLinux
import Glibc
import Linux

/// The timers among what is kept (timerfd_create(2)). They are the kernel's and go on by themselves; those whose clock
/// stands still are set to what they had left before the processes run again.
struct TimerDescriptors: Sendable {
    private struct Timer: Sendable {
        let number: Int32
        let goesOn: Bool
        let left: itimerspec
        /// How often it has fired since it was read.
        let ticks: UInt64
    }
    private let timers: [Timer]

    /// - Parameter numbers: of this process's descriptors. The processes stand still.
    init(among numbers: [Int32], _ clock: SleepClock) throws(SystemError) {
        timers = try numbers.filter(Self.isTimer).map { number throws(SystemError) in
            // Reading what is left brings the count of a timer that fires again and again up to date, so it comes first.
            let left = try Self.left(number)
            let details = try Self.details(number)
            return Timer(
                number: number, goesOn: clock.goesOn(Int32(details["clockid"] ?? "") ?? CLOCK_MONOTONIC), left: left,
                ticks: UInt64(details["ticks"] ?? "") ?? 0)
        }
    }

    /// How long it is until the first of those that go on comes due. The descriptors must be open.
    var earliest: Instant.Span? {
        let left = timers.filter(\.goesOn).compactMap { timer -> UInt64? in
            guard let left = try? Self.left(timer.number).it_value else { return nil }
            let span = UInt64(left.tv_sec) * 1_000_000_000 + UInt64(left.tv_nsec)
            return span == 0 ? nil : span
        }
        return left.min().map { Instant.Span(nanoseconds: $0) }
    }

    /// The descriptors must be open. May be called again.
    func giveBackTime() throws(SystemError) {
        for timer in timers where !timer.goesOn {
            var left = timer.left
            try retrying("timerfd_settime") { timerfd_settime(timer.number, 0, &left, nil) }
            // To set a timer forgets how often it has fired.
            var ticks = timer.ticks
            if ticks > 0 { try checking("ioctl(TFD_IOC_SET_TICKS)", "", zp_ioctl(timer.number, Self.setTicks, &ticks)) }
        }
    }

    /// TFD_IOC_SET_TICKS of <linux/timerfd.h>: _IOW('T', 0, u64).
    private static let setTicks: UInt = 0x4008_5400

    private static func isTimer(_ number: Int32) -> Bool {
        (try? Files.target(ofLink: "/proc/self/fd/\(number)")) == "anon_inode:[timerfd]"
    }

    private static func left(_ number: Int32) throws(SystemError) -> itimerspec {
        var left = itimerspec()
        try retrying("timerfd_gettime") { timerfd_gettime(number, &left) }
        return left
    }

    /// Lines `key: value` of proc_pid_fdinfo(5).
    private static func details(_ number: Int32) throws(SystemError) -> [Substring: Substring] {
        let text = try Files.readText("/proc/self/fdinfo/\(number)")
        return Dictionary(
            text.split(separator: "\n").compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return parts.count == 2 ? (parts[0], parts[1].drop { $0 == " " || $0 == "\t" }) : nil
            },
            uniquingKeysWith: { first, _ in first })
    }
}
