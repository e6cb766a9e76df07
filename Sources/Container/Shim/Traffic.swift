import DataPath
import Glibc
import Linux

/// The pod's network as one container uses it: its ports in the pod's redirector, and its activator.
final class Traffic {
    private let networks: PodNetworks
    let pod: PodNetwork
    let slot: UInt32
    let activator: Activator
    let log: Log
    private let container: String
    private let loop: EventLoop
    private let connectTimeout: Instant.Span?
    private let proxyTimeout: Instant.Span?
    private let handover: ContainerConfiguration.Handover
    let passivePorts: Set<UInt16>
    /// Ports that the annotation names and nobody has listened on when the container fell asleep.
    private var unattended: Set<UInt16> = []
    private let probes: ProbeMemory
    let ignoredPeers: Set<AddressRange>
    private(set) var declared: Set<UInt16> = []
    private(set) var datagramPorts: Set<UInt16>
    let endpoints = SleepingEndpoints()
    /// Connections that had been ended by their peers when the sleep was decided.
    private var endedBefore: Set<UInt64> = []

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
                guard let slot = pod.slots.free else {
                    container.context.networks.leave(pod, container.context.log)
                    let reason = "\(pod.slots.count) containers of the pod may sleep already, and no more can"
                    return then(.failure(TrafficError(description: reason)))
                }
                do throws(SystemError) {
                    then(.success(try Traffic(pod, container, slot: slot)))
                } catch {
                    container.context.networks.leave(pod, container.context.log)
                    then(.failure(TrafficError(description: "\(error)")))
                }
            }
        }
    }

    private init(_ pod: PodNetwork, _ container: Container, slot: UInt32) throws(SystemError) {
        self.pod = pod
        self.slot = slot
        self.container = container.id
        log = container.context.log
        loop = container.context.loop
        handover = container.configuration.handover
        networks = container.context.networks
        connectTimeout = container.configuration.connectTimeout.map(Instant.Span.init(nanoseconds:))
        proxyTimeout = container.configuration.proxyTimeout.map(Instant.Span.init(nanoseconds:))
        passivePorts = container.configuration.probes.passivePorts
        probes = ProbeMemory(for: container)
        activator = try Activator(
            loop: container.context.loop, networkNamespace: pod.namespace, clients: pod.clients,
            log: { [log] in log.warning($0) })
        try pod.redirector.register(activator, slot: slot)
        ignoredPeers = container.configuration.ignoredPeers
        datagramPorts = container.configuration.datagramPorts
        try declareDatagrams()
        try ignorePeers()
        pod.slots.take(slot)
    }

    private func declareDatagrams() throws(SystemError) {
        if datagramPorts.isEmpty { return }
        try pod.redirector.declare(datagramPorts: datagramPorts)
        log.info("watching UDP ports \(datagramPorts.sorted())", label)
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
    func learnProbes(_ then: @escaping () -> Void) -> Bool {
        probes.learn(pod.redirector, ports: activePorts, by: activator.network, then: then)
    }

    /// Which probe of the node the application has failed last, as `learnProbes` found.
    var probeFailure: String? { probes.failure }

    /// When the node has last begun to speak TLS to one of the ports.
    var lastTLS: (port: UInt16, at: Instant)? { pod.redirector.lastTLS(of: activePorts) }

    /// - Parameter ports: TCP's; the UDP ports are known here.
    func activity(of ports: Set<UInt16>) -> Activity? {
        try? pod.redirector.activityReader(ports: ports, datagramPorts: datagramPorts).now
    }

    /// A question that any thread may ask: has there been no packet on the container's ports since the last look?
    func quietness(since activity: Activity?) -> @Sendable () -> Bool {
        guard let activity,
            let reader = try? pod.redirector.activityReader(
                ports: activity.times.keys, datagramPorts: activity.datagramTimes.keys)
        else { return { false } }
        return { reader.now == activity }
    }

    // MARK: Asleep

    /// From before a dump on: connections that may be probes, or are relayed, are taken in the application's place, and
    /// `onConnection` is called when one of them is for the application. All others go to its own sockets as ever.
    ///
    /// - Parameter pids: the container's processes.
    func hold(from pids: [pid_t], _ onConnection: @escaping () -> Void) throws(SystemError) {
        closePassiveConnections(of: pids)
        endedBefore = Set(try openConnections().filter(\.peerHasEnded).map(\.inode))
        try refuseIgnored(tcp: declared.union(listeningPorts(of: pids)), udp: datagramPorts)
        var manners = probes.manners
        manners.ignoredPeers = ignoredPeers
        manners.waitingPorts = pod.redirector.portsThatWait(among: declared)
        activator.hold(manners, onConnection: onConnection)
        try pod.refusals.start(slot, onConnection)
        let relayed = firstConnections.relayed
        try pod.redirector.setRedirect(false, reception: true, ports: declared.subtracting(relayed))
        try pod.redirector.setRedirect(true, ports: relayed)
    }

    /// Asleep, clients of passive ports are answered on new connections, so open ones are closed.
    private func closePassiveConnections(of pids: [pid_t]) {
        if passivePorts.isEmpty { return }
        attempt("close connections of passive ports") { () throws(SystemError) in
            let sockets = Process.sockets(of: pids)
            for connection in try openConnections() where connection.isOpen {
                // A process that has ended meanwhile, or has closed it, has done the same.
                guard passivePorts.contains(connection.local.port), let socket = sockets[connection.inode],
                    let copy = try? Process.copy(socket)
                else { continue }
                TCPSocket.endBoth(copy)
            }
        }
    }

    /// The TCP connections of the pod.
    func openConnections() throws(SystemError) -> [TCPConnection] { try TCPConnection.all(in: pod.namespace) }

    /// A question for the thread of a checkpoint, when everything that the processes had open is kept and nothing is ended
    /// yet: is nobody waiting for them? From then on it is known what comes.
    func askWhetherAnybodyWaits() throws(SystemError) -> @Sendable ([Int32]) throws(SystemError) -> Bool {
        let policy = policy(datagramPorts: datagramPorts)
        let question = try WaitingQuestion(in: pod.namespace, endedBefore: endedBefore)
        return { [endpoints] kept throws(SystemError) in
            try endpoints.areAtRest(kept, policy, question)
        }
    }

    private func policy(datagramPorts: Set<UInt16>?) -> WakePolicy {
        WakePolicy(passivePorts: passivePorts, datagramPorts: datagramPorts, ignoredPeers: ignoredPeers)
    }

    /// The processes are gone; what comes to what they had open brings them back.
    func processesEnded(_ onArrival: @escaping () -> Void) {
        attempt("refuse peers that are ignored") { () throws(SystemError) in
            try refuseIgnored(tcp: endpoints.ports)
        }
        attempt("let more connections wait") { () throws(SystemError) in
            try pod.namespace.inside { () throws(SystemError) in endpoints.lengthenQueues() }
        }
        endpoints.awaitWords(on: pod.redirector.portsThatWait(among: activePorts))
        attempt("wait for connections") { () throws(SystemError) in
            try endpoints.start(loop, connections: openConnections, onArrival)
            // A connection to one of these ports wakes the container; the application then accepts or refuses it.
            unattended = activePorts.subtracting(endpoints.ports)
            try pod.redirector.setRedirect(true, reception: false, ports: unattended)
        }
    }

    /// The processes are there, and take nothing.
    ///
    /// - Parameter copies: of what they have open, which must be gone before they go on.
    func processesStandStill(_ copies: [Int32], _ onArrival: @escaping () -> Void) throws(SystemError) {
        let services = Self.services(of: copies)
        try refuseIgnored(tcp: services.tcp, udp: services.udp)
        try endpoints.standStill(copies, policy(datagramPorts: nil))
        try endpoints.start(loop, connections: openConnections, onArrival)
    }

    /// A wake has begun: nothing more has to be told.
    func stopWatching() {
        endpoints.stop(loop)
        pod.refusals.stop(slot)
    }

    /// Connections that are open while the processes are away.
    var connectionsKept: Int { endpoints.connections }

    private var activePorts: Set<UInt16> { declared.subtracting(passivePorts) }

    /// How the application gets the connections that come while it is away.
    var firstConnections: FirstConnections {
        handover == .relay
            ? FirstConnections(of: activePorts, relayed: activePorts, because: "the annotation handover says so")
            : FirstConnections(
                of: activePorts, relayed: unattended.intersection(activePorts),
                because: "no process of the container listens there")
    }

    func release() {
        endRedirect()
        endpoints.end(loop)
        activator.relay(connectTimeout: connectTimeout, limit: proxyTimeout)
    }

    /// There is no application any more. What was kept is closed with it, as the kernel closes what a process had.
    func refuse() {
        endRedirect()
        endpoints.end(loop)
        activator.refuse()
    }

    private func endRedirect() {
        unattended = []
        pod.refusals.stop(slot)
        attempt("end the redirect") { () throws(SystemError) in
            try pod.redirector.setRedirect(false, ports: declared)
        }
        admitIgnored()
    }

    /// Connections that have waited for the processes, and probes that they were spared, since the start.
    var counts: (held: UInt64, probesAnswered: UInt64) {
        (UInt64(endpoints.held + activator.counters.held), activator.probesAnswered)
    }

    /// The container has ended: its ports are free for the next one.
    func end() {
        admitIgnored()
        attempt("forget ports") { () throws(SystemError) in
            try pod.redirector.forget(ports: declared)
            try pod.redirector.forget(datagramPorts: datagramPorts)
        }
        // When this container is deleted, another one may have declared these ports.
        declared = []
        datagramPorts = []
        endpoints.end(loop)
        pod.refusals.stop(slot)
    }

    /// Closes what is still open. The last container of the pod takes the redirector along.
    func close() {
        end()
        attempt("ignore peers no longer") { () throws(SystemError) in try pod.redirector.ignore([], slot: slot) }
        activator.close()
        pod.slots.giveBack(slot)
        networks.leave(pod, log)
    }

    var label: KeyValuePairs<String, String> { ["container": container] }

    func attempt(_ what: String, _ body: () throws(SystemError) -> Void) {
        do throws(SystemError) { try body() } catch { log.error("cannot \(what): \(error)", ["pod": pod.name]) }
    }
}

/// Why a container's traffic cannot be followed.
struct TrafficError: Error, CustomStringConvertible {
    let description: String
}
