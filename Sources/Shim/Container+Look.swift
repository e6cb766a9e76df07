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
        let ports = configuration.ports ?? listeningPorts()
        // Packets first: what comes while the rest is looked at then gives a checkpoint up.
        lastActivity = traffic.lastActivity(of: ports)
        let now = Instant.now
        perform(
            lifecycle.looked(
                at: now.nanoseconds, ports: ports, lastActivity: lastActivity?.nanoseconds ?? 0,
                unansweredSince: unansweredRequest(to: ports)?.nanoseconds))
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
        Traffic.prepare(for: self) { [weak self] result in
            guard let self, lifecycle.state == .running else {
                // It has ended meanwhile, and nobody else knows of this.
                if case .success(let traffic) = result { traffic.close() }
                return
            }
            switch result {
            case .success(let traffic):
                self.traffic = traffic
                look()
            case .failure(let error):
                context.log.warning("the container will never sleep: \(error)", label)
                lifecycle.unable(error.description)
            }
        }
    }

    func declare(_ ports: Set<UInt16>) {
        context.log.info("watching ports \(ports.sorted())", label)
        traffic?.declare(ports)
    }
}
