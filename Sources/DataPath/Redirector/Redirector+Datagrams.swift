import CDataPath
import Linux

/// UDP ports. The maps are opened when they are needed: few pods declare any.
extension Redirector {
    private func datagrams() throws(SystemError) -> PinnedMap<UInt16, UInt64> {
        try PinnedMap(pins.path(.datagrams))
    }

    /// Makes UDP ports known: datagrams from and to them count as activity.
    package func declare(datagramPorts ports: some Sequence<UInt16>) throws(SystemError) {
        let datagrams = try self.datagrams()
        for port in ports { try datagrams.set(port, to: 0, if: .absent) }
    }

    /// The opposite of `declare`.
    package func forget(datagramPorts ports: some Sequence<UInt16>) throws(SystemError) {
        let datagrams = try self.datagrams()
        for port in ports { try datagrams.remove(port) }
    }
}
