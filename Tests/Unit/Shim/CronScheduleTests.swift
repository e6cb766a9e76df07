import Linux
import Testing

@testable import Shim

struct CronScheduleTests {
    private func date(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Int {
        TimeZone.utc.seconds(.init(year: year, month: month, day: day, hour: hour, minute: minute))
    }

    @Test(arguments: [
        ("* * * * *", (2026, 11, 30, 12, 31)),
        ("0 * * * *", (2026, 11, 30, 13, 0)),
        ("*/15 * * * *", (2026, 11, 30, 12, 45)),
        ("30 12 * * *", (2026, 12, 1, 12, 30)),
        ("0 8-18/2 * * *", (2026, 11, 30, 14, 0)),
        ("0 6 1 * *", (2026, 12, 1, 6, 0)),
        ("0 6 31 * *", (2026, 12, 31, 6, 0)),
        ("0 0 29 2 *", (2028, 2, 29, 0, 0)),
        // A Monday is asked on a Monday.
        ("0 6 * * mon", (2026, 12, 7, 6, 0)),
        ("0 6 * * 1-5", (2026, 12, 1, 6, 0)),
        ("0 6 * * 7", (2026, 12, 6, 6, 0)),
        ("0 6 * JAN 0,6", (2027, 1, 2, 6, 0)),
        // Either of both.
        ("0 6 13 * fri", (2026, 12, 4, 6, 0)),
        ("0 6 13 * */2", (2026, 12, 13, 6, 0)),
    ])
    func nextTime(_ text: String, _ expected: (Int, Int, Int, Int, Int)) throws {
        let (year, month, day, hour, minute) = expected
        let next = try CronSchedule(text).next(after: date(2026, 11, 30, 12, 30))
        #expect(next == date(year, month, day, hour, minute))
    }

    @Test func neverIsNil() throws {
        #expect(try CronSchedule("0 0 30 2 *").next(after: date(2026, 11, 30)) == nil)
    }

    @Test(.enabled(if: TimeZone(named: "Europe/Berlin") != nil, "needs tzdata"))
    func clocksChange() throws {
        let schedule = try CronSchedule("CRON_TZ=Europe/Berlin 30 2 * * *")
        // In winter an hour before UTC, in summer two.
        #expect(schedule.next(after: date(2026, 1, 1, 12)) == date(2026, 1, 2, 1, 30))
        #expect(schedule.next(after: date(2026, 7, 1, 12)) == date(2026, 7, 2, 0, 30))
        // There is no half past two on the night when the clocks go forward; there are two when they go back.
        let spring = try #require(schedule.next(after: date(2026, 3, 28, 12)))
        #expect((date(2026, 3, 29, 0, 30)...date(2026, 3, 29, 1, 30)).contains(spring))
        let autumn = try #require(schedule.next(after: date(2026, 10, 24, 12)))
        #expect([date(2026, 10, 25, 0, 30), date(2026, 10, 25, 1, 30)].contains(autumn))
    }

    @Test(arguments: [
        ("0 6 * *", "4 fields where minute, hour, day, month and weekday are five"),
        ("60 6 * * *", "\"60\" is no minute from 0 to 59"),
        ("0 6 0 * *", "\"0\" is no day from 1 to 31"),
        ("0 6 * * 1-", "\"1-\" is no weekday from 0 to 7"),
        ("0 6 * * 5-1", "\"5-1\" is no weekday from 0 to 7"),
        ("*/0 6 * * *", "\"*/0\" is no minute from 0 to 59"),
        ("0,,1 6 * * *", "\"\" is no minute from 0 to 59"),
        ("+5 6 * * *", "\"+5\" is no minute from 0 to 59"),
        ("99999999999999999999 6 * * *", "\"99999999999999999999\" is no minute from 0 to 59"),
        ("CRON_TZ=Mars/Olympus 0 6 * * *", "this node has no time zone \"Mars/Olympus\" in /usr/share/zoneinfo"),
        ("TZ=../../etc/passwd 0 6 * * *", "this node has no time zone \"../../etc/passwd\" in /usr/share/zoneinfo"),
    ])
    func mistakesAreNamed(_ text: String, _ complaint: String) {
        #expect(throws: CronSchedule.Complaint(text: complaint)) { try CronSchedule(text) }
    }
}
