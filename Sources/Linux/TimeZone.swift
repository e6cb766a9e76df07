import Glibc

/// A time zone of the node's database, in which seconds since 1970 are read as a calendar's. The C library has one zone a
/// process (tzset(3)), so all of it is for one thread: the loop's.
package struct TimeZone: Equatable, Sendable {
    package static let utc = TimeZone(variable: "UTC0")
    package static let directory = "/usr/share/zoneinfo"

    private let variable: String

    private init(variable: String) { self.variable = variable }

    /// - Parameter name: such as `Europe/Berlin`.
    /// - Returns: nil if the node does not have it.
    package init?(named name: String) {
        if name == "UTC" {
            self = .utc
            return
        }
        let isPlain = name.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "/") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "+") || Character(Unicode.Scalar(byte)).isLetter
                || Character(Unicode.Scalar(byte)).isNumber
        }
        // The library takes what it cannot read for UTC, without a word.
        guard isPlain, let first = name.first, first.isLetter, access("\(Self.directory)/\(name)", R_OK) == 0 else {
            return nil
        }
        variable = ":\(name)"
    }

    package struct Date: Equatable, Sendable {
        package var year, month, day, hour, minute: Int
        /// Sunday is 0.
        package var weekday: Int

        package init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, weekday: Int = 0) {
            (self.year, self.month, self.day) = (year, month, day)
            (self.hour, self.minute, self.weekday) = (hour, minute, weekday)
        }
    }

    /// - Parameter seconds: since 1970.
    package func date(_ seconds: Int) -> Date {
        choose()
        var (seconds, parts) = (time_t(seconds), tm())
        localtime_r(&seconds, &parts)
        return Date(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), weekday: Int(parts.tm_wday))
    }

    /// Days and months beyond their ends are those of the next month and year. A time that a change of the clocks leaves
    /// out is the one beside it.
    package func seconds(_ date: Date) -> Int {
        choose()
        var parts = tm()
        parts.tm_year = Int32(date.year - 1900)
        parts.tm_mon = Int32(date.month - 1)
        parts.tm_mday = Int32(date.day)
        parts.tm_hour = Int32(date.hour)
        parts.tm_min = Int32(date.minute)
        parts.tm_isdst = -1
        return mktime(&parts)
    }

    private func choose() {
        setenv("TZ", variable, 1)
        tzset()
    }
}
