import Glibc
import Linux

/// Moments as Kubernetes writes them.
enum Timestamps {
    /// RFC 3339 in UTC.
    static func rfc3339(_ time: WallClockTime, microseconds: Bool = false) -> String {
        var seconds = time_t(time.seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: Int32, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [padded(parts.tm_year + 1900, 4), padded(parts.tm_mon + 1, 2), padded(parts.tm_mday, 2)]
        let clock = [padded(parts.tm_hour, 2), padded(parts.tm_min, 2), padded(parts.tm_sec, 2)]
        let fraction = microseconds ? ".\(padded(time.nanoseconds / 1000, 6))" : ""
        return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":"))\(fraction)Z"
    }
}
