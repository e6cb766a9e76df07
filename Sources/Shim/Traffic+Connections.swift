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
        arrived = ArrivedPackets()
        connections = nil
        if closingReason == nil {
            do throws(SystemError) {
                connections = try OpenConnections(
                    pod.redirector.connections, slot: slot, in: pod.namespace, passivePorts: passivePorts, of: processes
                )
                try pod.arrivals.handle(slot: slot) { [unowned self] packet in
                    arrived.keep(packet)
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
        deliver(arrived.packets)
        arrived = ArrivedPackets()
    }

    /// The application never comes back. Of a process that ends the kernel would tell its peers; here it has no socket.
    func resetConnections() {
        let resets = connections?.resets ?? []
        // Before that, those of two containers of a pod would be held, and wake for nothing.
        letConnectionsGo()
        deliver(resets)
    }

    private func deliver(_ packets: [[UInt8]]) {
        for packet in packets {
            do throws(SystemError) {
                try pod.namespace.inside { () throws(SystemError) in try RawPackets.deliver(packet) }
            } catch {
                log.debug("a packet is not delivered: \(error)", label)
            }
        }
    }
}
