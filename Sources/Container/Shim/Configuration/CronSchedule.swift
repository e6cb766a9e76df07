import Linux

/// Times that come again, as cron(5) and Kubernetes' CronJobs write them: `[CRON_TZ=ZONE] MINUTE HOUR DAY MONTH WEEKDAY`,
/// in UTC unless a zone is named.
struct CronSchedule: Equatable, Sendable {
    /// A text is no schedule.
    struct Complaint: Error, Equatable {
        let text: String
    }

    private let minutes, hours, days, months, weekdays: Field
    private let zone: TimeZone

    init(_ text: some StringProtocol) throws(Complaint) {
        var words = String(text).split(separator: " ").map(String.init)
        var zone = TimeZone.utc
        if let first = words.first, let equals = first.firstIndex(of: "="),
            ["TZ", "CRON_TZ"].contains(first[..<equals])
        {
            let name = String(first[first.index(after: equals)...])
            guard let named = TimeZone(named: name) else {
                throw Complaint(text: "this node has no time zone \"\(name)\" in \(TimeZone.directory)")
            }
            zone = named
            words.removeFirst()
        }
        guard words.count == 5 else {
            throw Complaint(text: "\(words.count) fields where minute, hour, day, month and weekday are five")
        }
        self.zone = zone
        minutes = try Field(words[0], of: "minute", 0...59)
        hours = try Field(words[1], of: "hour", 0...23)
        days = try Field(words[2], of: "day", 1...31)
        months = try Field(
            words[3], of: "month", 1...12,
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
        weekdays = try Field(words[4], of: "weekday", 0...7, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])
    }

    /// Seconds since 1970 of the first time after `now`; nil if there is none, such as on the 30th of February.
    func next(after now: Int) -> Int? {
        let today = zone.date(now)
        // The rarest is a 29th of February, which may be eight years away.
        for offset in 0..<(366 * 8 + 1) {
            let noon = TimeZone.Date(year: today.year, month: today.month, day: today.day + offset, hour: 12)
            let day = zone.date(zone.seconds(noon))
            guard months.has(day.month), isOn(day) else { continue }
            for hour in 0...23 where hours.has(hour) {
                for minute in 0...59 where minutes.has(minute) {
                    var time = day
                    (time.hour, time.minute) = (hour, minute)
                    let seconds = zone.seconds(time)
                    if seconds > now { return seconds }
                }
            }
        }
        return nil
    }

    /// If both the day and the weekday are given, either is enough (crontab(5)).
    private func isOn(_ day: TimeZone.Date) -> Bool {
        let isDay = days.has(day.day)
        let isWeekday = weekdays.has(day.weekday) || day.weekday == 0 && weekdays.has(7)
        return days.isAny || weekdays.isAny ? isDay && isWeekday : isDay || isWeekday
    }

    /// Numbers below 64: `*`, `5`, `mon`, `1-5`, `*/15`, `8-18/2`, and several of them with commas.
    private struct Field: Equatable, Sendable {
        private var bits: UInt64 = 0
        /// It begins with a star, which limits nothing.
        let isAny: Bool

        func has(_ number: Int) -> Bool { bits & 1 << UInt64(number) != 0 }

        init(
            _ text: String, of name: String, _ range: ClosedRange<Int>, _ names: [String] = []
        ) throws(Complaint) {
            isAny = text.first == "*"
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let (numbers, step) = Self.numbers(part, range, names) else {
                    throw Complaint(text: "\"\(part)\" is no \(name) from \(range.lowerBound) to \(range.upperBound)")
                }
                for number in stride(from: numbers.lowerBound, through: numbers.upperBound, by: step) {
                    bits |= 1 << UInt64(number)
                }
            }
        }

        private static func numbers(
            _ text: Substring, _ range: ClosedRange<Int>, _ names: [String]
        ) -> (ClosedRange<Int>, step: Int)? {
            func number(_ text: Substring) -> Int? {
                if let place = names.firstIndex(of: text.lowercased()) { return place + range.lowerBound }
                return text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? Int(text) : nil
            }
            let sides = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = sides.first else { return nil }
            let step = sides.count == 2 ? number(sides[1]) : 1
            guard let step, step > 0 else { return nil }
            if first == "*" { return (range, step) }
            let ends = first.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let low = ends.first.flatMap(number), range.contains(low) else { return nil }
            // `8/2` is from 8 on.
            let high = ends.count == 2 ? number(ends[1]) : sides.count == 2 ? range.upperBound : low
            guard let high, high >= low, range.contains(high) else { return nil }
            return (low...high, step)
        }
    }
}
