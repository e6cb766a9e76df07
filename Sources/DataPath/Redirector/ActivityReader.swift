import CDataPath
import Linux

extension Redirector {
    /// A look at the activity of some ports for threads other than the loop's.
    package func activityReader(ports: Set<UInt16>) throws(SystemError) -> ActivityReader {
        try ActivityReader(PinnedMap(pins.path(.activity)), ports)
    }
}

extension Redirector {
    /// The same for UDP ports.
    package func activityReader(datagramPorts: Set<UInt16>) throws(SystemError) -> ActivityReader {
        try ActivityReader(PinnedMap(pins.path(.datagrams)), datagramPorts)
    }
}

/// Reads the times of the last packets, on any thread.
package final class ActivityReader: Sendable {
    private let activity: PinnedMap<UInt16, UInt64>
    private let ports: Set<UInt16>

    init(_ activity: consuming PinnedMap<UInt16, UInt64>, _ ports: Set<UInt16>) {
        self.activity = activity
        self.ports = ports
    }

    /// When a packet of one of the ports was last seen; 0 if never.
    package var last: UInt64 { ports.compactMap { activity[$0] }.filter { $0 != ZP_PASSIVE }.max() ?? 0 }
}
