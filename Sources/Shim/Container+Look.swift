import Glibc
import Lifecycle
import Linux

/// Looking for ports and for traffic.
extension Container {
    func look(after span: Instant.Span) {
        if let nextLook { context.loop.cancel(nextLook) }
        nextLook = context.loop.after(span) { [weak self] in
            self?.nextLook = nil
            self?.look()
        }
    }

    private func look() {
        guard lifecycle.state == .running else { return }
        guard let traffic else { return prepareTraffic() }
        traffic.findProbers()
        let looked = takeLook(traffic)
        // What would follow is tried on a copy.
        var trial = lifecycle
        if looked(&trial).contains(.checkpoint), traffic.rehearse({ [weak self] in self?.lookAgain() }) { return }
        perform(looked(&lifecycle))
    }

    /// Probes are learnt: what has come meanwhile counts.
    private func lookAgain() {
        guard lifecycle.state == .running, let traffic else { return }
        perform(takeLook(traffic)(&lifecycle))
    }

    private func takeLook(_ traffic: Traffic) -> (inout Lifecycle) -> [Effect] {
        let ports = (configuration.ports ?? listeningPorts()).subtracting(configuration.probes.passivePorts)
        // Packets first: what comes while the rest is looked at then gives a checkpoint up.
        let last = traffic.lastActivity(of: ports)
        lastActivity = last
        let (now, unanswered) = (Instant.now, unansweredRequest(to: ports))
        return { lifecycle in
            lifecycle.looked(
                at: now.nanoseconds, ports: ports, lastActivity: last?.nanoseconds ?? 0,
                unansweredSince: unanswered?.nanoseconds)
        }
    }

    private func unansweredRequest(to ports: Set<UInt16>) -> Instant? {
        do throws(SystemError) {
            return try traffic?.unansweredRequest(to: ports)
        } catch {
            // Idleness is then told from packets alone.
            context.log.debug("cannot look for requests in flight: \(error)", label)
            return nil
        }
    }

    private func listeningPorts() -> Set<UInt16> {
        do {
            return try TCPSocketTable.listeningPorts(of: cgroup?.processes() ?? [main.pid])
        } catch {
            // The process whose table was read may have ended in between. The next look will see another.
            context.log.debug("cannot look for ports: \(error)", label)
            return []
        }
    }

    /// Attaches the redirector to the pod's network, the first time that a container of the pod needs it.
    private func prepareTraffic() {
        isPreparingTraffic = true
        Traffic.prepare(for: self) { [self] result in
            isPreparingTraffic = false
            defer { afterPreparation.take()?() }
            switch result {
            case .success(let traffic) where lifecycle.state == .running:
                self.traffic = traffic
                look()
            case .success(let traffic):
                // It has ended meanwhile, and nobody else knows of this.
                traffic.close()
            case .failure(let error) where lifecycle.state == .running:
                context.log.warning("the container will never sleep: \(error)", label)
                lifecycle.unable(error.description)
            case .failure: break
            }
        }
    }

    func declare(_ ports: Set<UInt16>) {
        context.log.info("watching ports \(ports.sorted())", label)
        traffic?.declare(ports)
    }
}
