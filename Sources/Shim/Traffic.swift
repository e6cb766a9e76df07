import DataPath
import Glibc
import Linux

/// The pod's network as one container uses it: its ports in the pod's redirector, and its activator.
final class Traffic {
    private let networks: PodNetworks
    private let pod: PodNetwork
    private let slot: UInt32
    private let activator: Activator
    private let log: Log
    private let connectTimeout: Instant.Span?
    private let passivePorts: Set<UInt16>
    private let probes: ProbeMemory
    private var declared: Set<UInt16> = []

    /// Attaches the redirector to the pod's network if no container of the pod has yet, and makes the activator.
    static func prepare(for container: Container, _ then: @escaping (Result<Traffic, TrafficError>) -> Void) {
        do throws(SystemError) {
            let namespace = try Namespace(.network, of: container.main.pid)
            if namespace.inode == (try Namespace.own(.network)).inode {
                return then(.failure(TrafficError(description: "it shares the network of the node")))
            }
            prepare(for: container, in: namespace, then)
        } catch {
            then(.failure(TrafficError(description: "\(error)")))
        }
    }

    private static func prepare(
        for container: Container, in namespace: consuming Namespace,
        _ then: @escaping (Result<Traffic, TrafficError>) -> Void
    ) {
        let name = PodNetworks.name(
            of: container.spec, container: container.id, namespace: container.context.namespace)
        container.context.networks.attach(pod: name, namespace, container.context) { result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let pod):
                do throws(SystemError) {
                    then(.success(try Traffic(pod, container)))
                } catch {
                    container.context.networks.leave(pod, container.context.log)
                    then(.failure(TrafficError(description: "\(error)")))
                }
            }
        }
    }

    private init(_ pod: PodNetwork, _ container: Container) throws(SystemError) {
        self.pod = pod
        log = container.context.log
        networks = container.context.networks
        connectTimeout = container.configuration.connectTimeout.map(Instant.Span.init(nanoseconds:))
        passivePorts = container.configuration.probes.passivePorts
        probes = ProbeMemory(for: container)
        activator = try Activator(
            loop: container.context.loop, networkNamespace: pod.namespace, log: { [log] in log.warning($0) })
        slot = pod.freeSlot
        try pod.redirector.register(activator, slot: slot)
        pod.take(slot)
    }

    /// - Parameter active: Those that count; passive ones are added.
    func declare(_ active: Set<UInt16>) {
        let ports = active.union(passivePorts)
        attempt("declare ports") { () throws(SystemError) in
            try pod.redirector.forget(ports: declared.subtracting(ports))
            try pod.redirector.declare(ports: ports, slot: slot, passive: passivePorts)
        }
        declared = ports
    }

    /// The node may have got other addresses since.
    func findProbers() {
        attempt("find the node's addresses") { () throws(SystemError) in try probes.setProbers(of: pod.redirector) }
    }

    /// Before a sleep: learns what is to be answered to probes meanwhile.
    /// - Returns: false if there is nothing to learn; then `then` is not called.
    func rehearse(_ then: @escaping () -> Void) -> Bool {
        probes.rehearse(pod.redirector, ports: declared, then: then)
    }

    func lastActivity(of ports: Set<UInt16>) -> Instant? { pod.redirector.lastActivity(of: ports) }

    /// When the newest request came that the application has not answered yet.
    func unansweredRequest(to ports: Set<UInt16>) throws(SystemError) -> Instant? {
        let age = try pod.namespace.inside { () throws(SystemError) in try UnansweredData.age(ofNewestTo: ports) }
        let now = Instant.now.nanoseconds
        return age.map { Instant(nanoseconds: now - min(now, $0.nanoseconds)) }
    }

    /// A question that any thread may ask: has there been no packet on the container's ports since the one that was
    /// the last one known?
    func quietness(since last: Instant?) -> @Sendable () -> Bool {
        guard let activity = try? pod.redirector.activityReader(ports: declared) else { return { false } }
        return { activity.last <= last?.nanoseconds ?? 0 }
    }

    func hold(_ onConnection: @escaping () -> Void) throws(SystemError) {
        activator.hold(probes.manners, onConnection: onConnection)
        try pod.redirector.setRedirect(true, ports: declared)
    }

    func release() {
        endRedirect()
        activator.relay(connectTimeout: connectTimeout)
    }

    func refuse() {
        endRedirect()
        activator.refuse()
    }

    private func endRedirect() {
        attempt("end the redirect") { () throws(SystemError) in
            try pod.redirector.setRedirect(false, ports: declared)
        }
    }

    /// The container has ended: its ports are free for the next one.
    func end() {
        attempt("forget ports") { () throws(SystemError) in try pod.redirector.forget(ports: declared) }
        declared = []
    }

    /// Closes what is still open. The last container of the pod takes the redirector along.
    func close() {
        end()
        activator.close()
        pod.giveBack(slot)
        networks.leave(pod, log)
    }

    private func attempt(_ what: String, _ body: () throws(SystemError) -> Void) {
        do throws(SystemError) { try body() } catch { log.error("cannot \(what): \(error)", ["pod": pod.name]) }
    }
}

/// Why a container's traffic cannot be followed.
struct TrafficError: Error, CustomStringConvertible {
    let description: String
}
