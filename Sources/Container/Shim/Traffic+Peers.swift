import DataPath
import Glibc
import Linux

/// Peers whose traffic neither wakes the container nor keeps it awake: the annotation ignore-peers. Asleep they are refused,
/// since what waits for the application waits in a queue that is also that of others, who do wake it.
extension Traffic {
    /// Their packets do not count as use of any container of the pod.
    func ignorePeers() throws(SystemError) {
        try pod.redirector.ignore(ignoredPeers)
        if ignoredPeers.isEmpty { return }
        log.info("ignoring peers \(ignoredPeers.map(\.description).sorted().joined(separator: ", "))", label)
    }

    /// Refuses them at more ports. Passive ones answer everybody.
    func refuseIgnored(at services: [Redirector.Transport: Set<UInt16>]) throws(SystemError) {
        if ignoredPeers.isEmpty { return }
        for (transport, ports) in services {
            let more = transport == .tcp ? ports.subtracting(passivePorts) : ports
            // Also what fails half-way is taken back.
            refusing[transport, default: []].formUnion(more)
            try pod.redirector.setRefusal(of: transport, true, ports: more)
        }
    }

    func admitIgnored() {
        for (transport, ports) in refusing {
            // What cannot be taken back now is so the next time.
            attempt("admit peers that are ignored") { () throws(SystemError) in
                try pod.redirector.setRefusal(of: transport, false, ports: ports)
                refusing[transport] = nil
            }
        }
    }

    /// Where connections and datagrams of anybody come in.
    ///
    /// - Parameter descriptors: of this process.
    static func services(of descriptors: [Int32]) -> [Redirector.Transport: Set<UInt16>] {
        var services: [Redirector.Transport: Set<UInt16>] = [:]
        for number in descriptors {
            switch Endpoint(of: number) {
            case .listener(let port): services[.tcp, default: []].insert(port)
            case .datagrams(let port): services[.udp, default: []].insert(port)
            case .connection, .local, .other: break
            }
        }
        return services
    }

    /// Those on which the container listens besides the ones that it is watched on. One of which that cannot be told now is
    /// refused once it sleeps.
    func listeningPorts(of pids: [pid_t]) -> Set<UInt16> {
        if ignoredPeers.isEmpty { return [] }
        return (try? TCPSocketTable.listeningPorts(of: pids)) ?? []
    }
}
