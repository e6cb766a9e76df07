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

    /// Makes a socket the one that holds the datagrams of the container in `slot`. The kernel forgets it when it is closed.
    package func register(_ held: HeldDatagrams, slot: UInt32) throws(SystemError) {
        try register(activator: held.descriptor.descriptor, slot: UInt32(ZP_DATAGRAM_SLOTS) + slot)
    }

    /// From the return of this call on, datagrams to these ports go to what is registered in `slot`; with nil to the
    /// application.
    package func steer(datagramPorts ports: some Sequence<UInt16>, to slot: UInt32?) throws(SystemError) {
        let steered: PinnedMap<UInt16, UInt32> = try PinnedMap(pins.path(.steeredDatagrams))
        for port in ports {
            if let slot { try steered.set(port, to: slot) } else { try steered.remove(port) }
        }
    }
}
