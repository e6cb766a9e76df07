import Glibc

/// An instant of CLOCK_MONOTONIC in nanoseconds: the clock of `bpf_ktime_get_ns` too, so that the times in BPF maps
/// and the times of the event loop can be compared.
package struct Instant: Comparable, Hashable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func + (instant: Instant, span: Span) -> Instant {
        Instant(nanoseconds: instant.nanoseconds + span.nanoseconds)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    package func since(_ earlier: Instant) -> Span {
        Span(nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0)
    }

    /// A length of time, never negative.
    package struct Span: Comparable, Hashable, Sendable {
        package let nanoseconds: UInt64

        package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
        package static func milliseconds(_ count: UInt64) -> Span { Span(nanoseconds: count * 1_000_000) }
        package static func seconds(_ count: UInt64) -> Span { Span(nanoseconds: count * 1_000_000_000) }

        package var milliseconds: Double { Double(nanoseconds) / 1e6 }

        package static func < (left: Span, right: Span) -> Bool { left.nanoseconds < right.nanoseconds }
    }
}

/// Seconds and nanoseconds of the wall clock, as containerd's events carry them (google.protobuf.Timestamp).
package struct WallClockTime: Equatable, Sendable {
    package let seconds: Int64
    package let nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static var now: WallClockTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallClockTime(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }
}
