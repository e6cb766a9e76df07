import DataPath
import Glibc
import Linux

/// The connections that are open when a container falls asleep.
extension Traffic {
    /// The TCP connections of the pod.
    func openConnections() throws(SystemError) -> [TCPConnection] { try TCPConnection.all(in: pod.namespace) }

    /// Connections that are open while the processes are away.
    var connectionsKept: Int { connections?.kept ?? 0 }

    func keepConnections(
        of processes: @escaping @Sendable () -> [pid_t], now pids: [pid_t], _ onPacket: @escaping () -> Void
    ) {
        arrived = []
        connections = nil
        if closingReason == nil {
            do throws(SystemError) {
                connections = try OpenConnections(
                    pod.redirector.connections, slot: slot, in: pod.namespace, passivePorts: passivePorts, of: processes
                )
                try pod.arrivals.handle(slot: slot) { [unowned self] packet in
                    // Each is sent again until somebody answers.
                    let isNew = !packet.isEmpty && !arrived.contains(packet)
                    if isNew && arrived.count < Self.mostArrived { arrived.append(packet) }
                    onPacket()
                }
            } catch {
                closingReason = "\(error)"
            }
        }
        closeConnections(of: pids)
    }

    /// Those that nobody keeps end in order, before their processes go. Who comes back to a passive port is answered on a
    /// new connection.
    private func closeConnections(of pids: [pid_t]) {
        if closingReason != nil { connections = nil }
        attempt("close connections") { () throws(SystemError) in
            let closed = try OpenConnections.close(of: pids, in: pod.namespace) { [passivePorts, closingReason] in
                closingReason != nil || passivePorts.contains($0.local.port)
            }
            if let closingReason, closed > 0 {
                log.info("closed \(closed) open connections: they cannot be kept (\(closingReason))", label)
            }
        }
    }

    /// What came besides its sender sends again.
    private static let mostArrived = 64

    /// From now on, or from the next sleep on if one has begun already.
    func closeConnections(because reason: String, now pids: [pid_t] = []) {
        closingReason = reason
        if !pids.isEmpty { closeConnections(of: pids) }
    }

    /// The connections are the application's again, or nobody's: what came for them meanwhile is answered by the kernel.
    func letConnectionsGo() {
        pod.arrivals.ignore(slot: slot)
        connections?.processesRun()
        connections = nil
        for packet in arrived {
            do throws(SystemError) {
                try pod.namespace.inside { () throws(SystemError) in try RawPackets.deliver(packet) }
            } catch {
                log.debug("a packet is left to be sent again: \(error)", label)
            }
        }
        arrived = []
    }
}
