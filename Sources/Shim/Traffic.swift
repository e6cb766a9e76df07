import DataPath
import Glibc
import Linux

/// The pod's network as one container uses it: its ports in the pod's redirector, and its activator.
final class Traffic {
    private let networks: PodNetworks
    let pod: PodNetwork
    let slot: UInt32
    private let activator: Activator
    let log: Log
    private let container: String
    private let loop: EventLoop
    private let connectTimeout: Instant.Span?
    private let proxyTimeout: Instant.Span?
    private let handover: ContainerConfiguration.Handover
    let passivePorts: Set<UInt16>
    private let probes: ProbeMemory
    private var declared: Set<UInt16> = []
    private var datagramPorts: Set<UInt16>
    /// Where datagrams wait while the application is away; nil if it has no UDP ports.
    private let datagrams: HeldDatagrams?
    /// Where connections wait for the application itself, while it is away.
    private var queues: AcceptQueues?
    /// As it was at the last sleep.
    private var lastWay: FirstConnections?
    private var heldInQueues = 0
    /// What keeps the open connections, from before a dump on until the processes run again. nil: nothing does.
    var connections: OpenConnections?
    /// Packets for them that came while the processes were away, in the order they came in.
    var arrived = ArrivedPackets()
    /// Why open connections are closed before the next sleep; nil: they are kept.
    var closingReason: String?

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
        datagramPorts = container.configuration.datagramPorts
        datagrams =
            datagramPorts.isEmpty
            ? nil
            : try HeldDatagrams(
                loop: loop, network: activator.network, networkNamespace: pod.namespace, ports: datagramPorts,
                log: { [log] in log.warning($0) })
        try declareDatagrams()
        pod.slots.take(slot)
    }

    private func declareDatagrams() throws(SystemError) {
        guard let datagrams else { return }
        try pod.redirector.register(datagrams, slot: slot)
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

    /// What is to be looked for when the processes stand still. Call it after `hold`.
    func lateListeners(named: Set<UInt16>?) throws(SystemError) -> LateListeners {
        try LateListeners(
            in: pod.namespace, kept: queues?.sockets ?? [], redirected: declared.subtracting(queues?.ports ?? []),
            named: named)
    }

    /// Lets new connections wait, from before a dump on, and calls `onConnection` when there is one. Where that is
    /// possible they wait for the application itself; until its processes stand still it still accepts them.
    ///
    /// - Parameter processes: Those of the container; may be asked on another thread.
    func hold(
        from processes: @escaping @Sendable () -> [pid_t], _ onConnection: @escaping () -> Void
    ) throws(SystemError) {
        let pids = processes()
        keepQueues(of: pids)
        keepConnections(of: processes, now: pids, onConnection)
        // Whoever may be a probe is received first, wherever the others wait.
        activator.hold(probes.manners, onConnection: onConnection)
        do throws(SystemError) {
            try queues?.watch(onConnection: onConnection)
            let own = queues?.ports ?? []
            try pod.redirector.setRedirect(false, reception: true, ports: own)
            try pod.redirector.setRedirect(true, ports: declared.subtracting(own))
            try datagrams?.watch(onDatagram: onConnection)
            try pod.redirector.steer(datagramPorts: datagramPorts, to: slot)
        } catch {
            queues = nil
            throw error
        }
    }

    private var activePorts: Set<UInt16> { declared.subtracting(passivePorts) }

    /// Why all first connections have to be relayed; nil if the application may be able to accept them.
    private var obstacle: String? {
        handover == .relay ? "the annotation handover says so" : AcceptQueueTrial.result
    }

    private func keepQueues(of pids: [pid_t]) {
        let active = activePorts
        var obstacle = obstacle
        if obstacle == nil {
            do throws(SystemError) {
                queues = try AcceptQueues(of: pids, ports: active, in: pod.namespace, loop: loop)
            } catch {
                obstacle = error.description
            }
        }
        let way = FirstConnections(
            of: active, relayed: active.subtracting(queues?.ports ?? []),
            because: obstacle ?? "no process of the container listens there")
        if way == lastWay { return }
        lastWay = way
        for line in way.descriptions { log.info(line, label) }
    }

    /// Which way first connections go: as at the last sleep, or as it is meant to be at the next one.
    var firstConnections: FirstConnections {
        let active = activePorts
        if let lastWay, lastWay.ports == active { return lastWay }
        return FirstConnections(of: active, relayed: obstacle == nil ? [] : active, because: obstacle ?? "")
    }

    /// The processes are gone; nothing but a connection brings them back.
    func processesEnded() {
        // What was in the way may have been those connections, or over soon.
        closingReason = nil
        let failures = queues?.makeRoom() ?? [:]
        if failures.isEmpty { return }
        for (port, error) in failures {
            log.error("port \(port) goes to the relay: \(error)", label)
            lastWay?.accepted.remove(port)
            lastWay?.relayed.insert(port)
            lastWay?.reason = error.description
        }
        attempt("redirect") { () throws(SystemError) in try pod.redirector.setRedirect(true, ports: failures.keys) }
    }

    /// The processes are there, and take nothing.
    func processesStandStill() { queues?.processesStandStill() }

    func release() {
        endRedirect()
        letConnectionsGo()
        if let queues {
            self.queues = nil
            heldInQueues += queues.held
            attempt("hand over connections") { () throws(SystemError) in
                for lost in try queues.handOver() {
                    log.error("the application listens on \(lost) no more: what waited there was reset", label)
                }
            }
        }
        activator.relay(connectTimeout: connectTimeout, limit: proxyTimeout)
        datagrams?.deliver()
    }

    func refuse() {
        endRedirect()
        resetConnections()
        activator.refuse()
        datagrams?.discard()
        if let queues {
            heldInQueues += queues.held
            activator.refuse(queues)
        }
        queues = nil
    }

    private func endRedirect() {
        attempt("end the redirect") { () throws(SystemError) in
            try pod.redirector.setRedirect(false, ports: declared)
            try pod.redirector.steer(datagramPorts: datagramPorts, to: nil)
        }
    }

    /// Connections that have waited for the processes, and probes that they were spared, since the start.
    var counts: (held: UInt64, probesAnswered: UInt64) {
        (UInt64(heldInQueues + activator.counters.held), activator.probesAnswered)
    }

    /// The container has ended: its ports are free for the next one.
    func end() {
        attempt("forget ports") { () throws(SystemError) in
            try pod.redirector.forget(ports: declared)
            try pod.redirector.forget(datagramPorts: datagramPorts)
            try pod.redirector.steer(datagramPorts: datagramPorts, to: nil)
        }
        // By the time that this one is deleted they may be the next one's.
        declared = []
        datagramPorts = []
        queues = nil
        letConnectionsGo()
    }

    /// Closes what is still open. The last container of the pod takes the redirector along.
    func close() {
        end()
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
