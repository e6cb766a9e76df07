import DataPath
import Glibc
import Linux

/// Peers whose traffic neither wakes the container nor keeps it awake: the annotation ignore-peers. Asleep they are refused,
/// since what waits for the application waits in a queue that is also that of others, who do wake it.
extension Traffic {
    /// Their packets do not count as use of any container of the pod.
    func ignorePeers() throws(SystemError) {
        try pod.redirector.ignore(ignoredPeers, slot: slot)
        if ignoredPeers.isEmpty { return }
        log.info("ignoring peers \(ignoredPeers.map(\.description).sorted().joined(separator: ", "))", label)
    }

    /// Refuses them at more ports. Passive ones answer everybody.
    func refuseIgnored(tcp: Set<UInt16> = [], udp: Set<UInt16> = []) throws(SystemError) {
        if ignoredPeers.isEmpty { return }
        let services =
            tcp.subtracting(passivePorts).map { Redirector.Service(.tcp, $0) }
            + udp.map { Redirector.Service(.udp, $0) }
        try pod.redirector.refuse(at: Set(services), slot: slot)
    }

    func admitIgnored() {
        attempt("admit peers that are ignored") { () throws(SystemError) in try pod.redirector.admit(slot: slot) }
    }

    /// Where connections and datagrams of anybody come in.
    ///
    /// - Parameter descriptors: of this process.
    static func services(of descriptors: [Int32]) -> (tcp: Set<UInt16>, udp: Set<UInt16>) {
        var (tcp, udp): (Set<UInt16>, Set<UInt16>) = ([], [])
        for number in descriptors {
            switch Endpoint(of: number) {
            case .listener(let port): tcp.insert(port)
            case .datagrams(let port): udp.insert(port)
            case .connection, .local, .other: break
            }
        }
        return (tcp, udp)
    }

    /// The ports on which the container listens, also those that are not watched. If they cannot be told now, peers are
    /// refused there only once it sleeps.
    func listeningPorts(of pids: [pid_t]) -> Set<UInt16> {
        if ignoredPeers.isEmpty { return [] }
        return (try? TCPSocketTable.listeningPorts(of: pids)) ?? []
    }
}
