import CDataPath
import Linux

/// When packets of some ports were last seen, or connections to them accepted, or to others refused.
package struct Activity: Equatable, Sendable {
    /// 0: never. A packet makes its port's time a later one, if only by a nanosecond: where two are equal, none has come
    /// between them, but for one that another processor noted in the same moment. Apart from that a time is right to one
    /// tick of the kernel, so the latest one alone does not tell (`bpf/clock.h`).
    package var times: [UInt16: UInt64] = [:]
    /// When a connection to a port on which nobody listens was refused.
    package var refused: UInt64 = 0
    package var datagramTimes: [UInt16: UInt64] = [:]

    /// The last one of all; nil if there was none.
    package var last: Instant? {
        let last = max(times.values.max() ?? 0, refused, datagramTimes.values.max() ?? 0)
        return last == 0 ? nil : Instant(nanoseconds: last)
    }
}

extension Redirector {
    /// A look at the activity of some ports, for any thread.
    package func activityReader(
        ports: some Sequence<UInt16>, datagramPorts: some Sequence<UInt16> = EmptyCollection()
    ) throws(SystemError) -> ActivityReader {
        try ActivityReader(
            PinnedMap(pins.path(.activity)), Array(ports), PinnedMap(pins.path(.datagrams)), Array(datagramPorts))
    }
}

/// Reads the times of the last packets, on any thread.
package final class ActivityReader: Sendable {
    private let activity: PinnedMap<UInt16, UInt64>
    private let ports: [UInt16]
    private let datagrams: PinnedMap<UInt16, UInt64>
    private let datagramPorts: [UInt16]

    init(
        _ activity: consuming PinnedMap<UInt16, UInt64>, _ ports: [UInt16],
        _ datagrams: consuming PinnedMap<UInt16, UInt64>, _ datagramPorts: [UInt16]
    ) {
        self.activity = activity
        self.ports = ports
        self.datagrams = datagrams
        self.datagramPorts = datagramPorts
    }

    package var now: Activity {
        var now = Activity()
        for port in ports {
            let time = activity[port] ?? 0
            now.times[port] = time == ZP_PASSIVE ? 0 : time
        }
        now.refused = activity[ZP_REFUSED_PORTS] ?? 0
        for port in datagramPorts { now.datagramTimes[port] = datagrams[port] ?? 0 }
        return now
    }
}
