import Glibc
import Lifecycle
import Linux

/// Looking for ports and for traffic.
extension Container {
    func look(after span: Instant.Span) {
        cancelLook()
        nextLook = context.loop.after(span) { [weak self] in
            self?.nextLook = nil
            self?.look()
        }
    }

    /// The container has ended, or sleeps, or is about to: asleep the loop must not wake up for it.
    func cancelLook() {
        if let nextLook { context.loop.cancel(nextLook) }
        nextLook = nil
    }

    private func look() {
        guard lifecycle.state == .running else { return }
        guard let traffic else { return prepareTraffic() }
        traffic.findProbers()
        // A copy of the lifecycle shows whether all else lets the container sleep: only then the answers to probes are
        // read.
        let looked = takeLook(traffic)
        var trial = lifecycle
        let next = looked(&trial, nil)
        let wouldSleep = next.contains(.hold)
        if wouldSleep {
            if let wait = traffic.pod.sleeps.wait(now: .now) { return rest(for: wait) }
            if traffic.learnProbes({ [weak self] in self?.lookAgain() }) { return }
        }
        // A probe failure from an earlier look may be out of date, so it counts only if the answers were looked at just
        // now.
        tell { looked(&$0, wouldSleep ? traffic.probeFailure : nil) }
    }

    /// Each sleep and each wake takes the node's time: a pod that has had its share stays awake for a while.
    private func rest(for wait: Instant.Span) {
        if mayNotSleepUntil == nil { context.log.info("stays awake: \(hasSleptTooOften)", label) }
        mayNotSleepUntil = .now + wait
        look(after: wait)
        context.changed()
    }

    var hasSleptTooOften: String {
        "its pod has slept \(context.policy.sleepsPerMinute) times within a minute, as often as this node allows"
    }

    /// Probes are learnt: what has come meanwhile counts.
    private func lookAgain() {
        guard lifecycle.state == .running, let traffic else { return }
        let look = takeLook(traffic)
        tell { look(&$0, traffic.probeFailure) }
    }

    /// Looks at the container. The result tells a lifecycle what was seen, with the probe that the application has
    /// failed.
    func takeLook(_ traffic: Traffic) -> (inout Lifecycle, String?) -> [Effect] {
        let pids: [pid_t]
        do throws(SystemError) {
            pids = try cgroup?.processes() ?? [main.pid]
        } catch {
            context.log.warning("it stays awake, as nobody can tell which processes it has: \(error)", label)
            let now = Instant.now.nanoseconds
            // What cannot be looked at may be in use.
            return { lifecycle, _ in lifecycle.looked(at: now, ports: lifecycle.ports, lastActivity: now) }
        }
        let listening = listeningPorts(of: pids)
        if let named = configuration.ports { portsListenedOn.formUnion(named.intersection(listening)) }
        let ports = portsThatCount(of: listening).subtracting(configuration.probes.passivePorts)
        // Packets first: what comes while the rest is looked at then gives a checkpoint up.
        let activity = traffic.activity(of: ports)
        lastActivity = activity
        let (now, open) = (Instant.now, openConnections(traffic))
        let sockets = Process.sockets(of: pids)
        let unanswered = open.compactMap { connection -> Instant.Span? in
            if ports.contains(connection.local.port) { return connection.owesAnswer }
            // A connection that the application has made.
            let isOwn = sockets[connection.inode] != nil && !listening.contains(connection.local.port)
            return isOwn ? connection.awaitsAnswer : nil
        }
        history.lastUser = Self.lastUser(of: open) { connection in
            ports.contains(connection.local.port) || sockets[connection.inode] != nil
        }.map { Caller($0, listening: listening) }
        let since = unanswered.min().map { now.nanoseconds - min(now.nanoseconds, $0.nanoseconds) }
        let isConnected =
            configuration.activity == .connections && open.contains { $0.isOpen && ports.contains($0.local.port) }
        let isBusy = wereAtWork(until: now)
        let isWorking =
            isBusy
            && (configuration.activity == .work
                || open.contains { $0.isOpen && (ports.contains($0.local.port) || sockets[$0.inode] != nil) })
        let missing = (configuration.ports ?? []).subtracting(portsListenedOn)
            .subtracting(configuration.probes.passivePorts)
        return { lifecycle, failing in
            lifecycle.looked(
                // What cannot be looked at may be in use.
                at: now.nanoseconds, ports: ports,
                lastActivity: activity.map { $0.last?.nanoseconds ?? 0 } ?? now.nanoseconds,
                unansweredSince: since, isConnected: isConnected, isWorking: isWorking,
                isBusy: isBusy, missing: missing, failing: failing)
        }
    }

    /// The connection that was used last, of those that are open; first of all one with a request that is not answered.
    private static func lastUser(of open: [TCPConnection], where isOurs: (TCPConnection) -> Bool) -> TCPConnection? {
        open.filter { $0.isOpen && isOurs($0) }.min { one, other in
            let isOwed = (one.owesAnswer != nil, other.owesAnswer != nil)
            return isOwed.0 == isOwed.1 ? one.sinceData < other.sinceData : isOwed.0
        }
    }

    /// Whether the processes were at work since they were last looked at.
    func wereAtWork(until now: Instant) -> Bool { work.isAtWork(at: now, used: cgroup?.processorTime) }

    private func openConnections(_ traffic: Traffic) -> [TCPConnection] {
        do throws(SystemError) {
            return try traffic.openConnections().filter { !traffic.ignoredPeers.have($0.remote) }
        } catch {
            // Idleness is then told from packets alone.
            context.log.debug("cannot look at the open connections: \(error)", label)
            return []
        }
    }

    /// The ports of the annotation count once the application listens on one of them.
    private func portsThatCount(of listening: Set<UInt16>) -> Set<UInt16> {
        guard let named = configuration.ports else { return listening }
        return named.isDisjoint(with: listening) ? [] : named
    }

    private func listeningPorts(of pids: [pid_t]) -> Set<UInt16> {
        do {
            return try TCPSocketTable.listeningPorts(of: pids)
        } catch {
            // The process whose table was read may have ended in between. The next look will see another.
            context.log.debug("cannot look for ports: \(error)", label)
            return []
        }
    }

    /// Attaches the redirector to the pod's network, the first time that a container of the pod needs it.
    private func prepareTraffic() {
        workUnderWay.begin()
        context.outside.followTraffic(self) { [self] result in
            defer { workUnderWay.end() }
            switch result {
            case .success(let traffic) where lifecycle.state == .running:
                self.traffic = traffic
                look()
            case .success(let traffic):
                // It has ended meanwhile, and nobody else knows of this.
                traffic.close()
            case .failure(let error) where lifecycle.state == .running:
                context.log.warning("the container will never sleep: \(error)", label)
                tell { lifecycle in
                    lifecycle.unable(error.description)
                    return []
                }
            case .failure: break
            }
        }
    }

    func declare(_ ports: Set<UInt16>) {
        context.log.info("watching ports \(ports.sorted())", label)
        traffic?.declare(ports)
    }
}
