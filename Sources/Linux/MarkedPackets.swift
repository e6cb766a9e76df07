import CLinux

/// Packets with a mark that do not leave the network namespace, whatever address they are sent to: the way back for
/// sockets that are bound to addresses of other machines.
package enum MarkedPackets {
    /// Adds the rule and the route to the calling thread's network namespace, unless they are there.
    package static func keep(_ family: SocketAddress.Family, mark: UInt32, table: UInt32) throws(SystemError) {
        try checking("rtnetlink", "rule for mark \(mark)", zp_keep_marked(family.number, mark, table))
    }

    package static func keepNoMore(_ family: SocketAddress.Family, mark: UInt32, table: UInt32) {
        // What is gone already is no matter.
        _ = zp_keep_marked_no_more(family.number, mark, table)
    }
}
