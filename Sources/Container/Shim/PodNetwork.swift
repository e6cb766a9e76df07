import DataPath
import Glibc
import Linux
import Runc

/// A pod's network namespace with its redirector, shared by the containers of the pod.
final class PodNetwork {
    let name: String
    let namespace: Namespace
    let redirector: Redirector
    let clients: ClientAddresses
    let refusals: RefusalWatch
    fileprivate var users = 0
    /// The slots of the pod's activators.
    var slots = Slots(Redirector.slots)
    /// How often the pod's containers may still fall asleep.
    var sleeps: TokenBucket

    fileprivate init(
        name: String, namespace: consuming Namespace, _ context: ShimContext
    ) throws(SystemError) {
        self.name = name
        self.namespace = namespace
        redirector = try Redirector(pod: name)
        refusals = try RefusalWatch(of: redirector, loop: context.loop)
        let perMinute = context.policy.sleepsPerMinute
        sleeps = TokenBucket(
            perMinute, every: Instant.Span(nanoseconds: 60_000_000_000 / UInt64(perMinute)), now: .now)
        let log = context.log
        clients = ClientAddresses { log.warning($0, ["pod": name]) }
    }

}

/// Numbers from 0 on, each given to one at a time.
struct Slots {
    let count: UInt32
    private var taken: Set<UInt32> = []

    init(_ count: UInt32) { self.count = count }

    /// The lowest that nobody has; nil if all are taken.
    var free: UInt32? { (0..<count).first { !taken.contains($0) } }

    mutating func take(_ slot: UInt32) { taken.insert(slot) }

    mutating func giveBack(_ slot: UInt32) { taken.remove(slot) }
}

/// The pod networks of one shim process.
package final class PodNetworks {
    /// The verb of this program that loads the BPF programs. It runs as a process of its own: reading the kernel's
    /// type information takes megabytes for a moment, which a shim would keep for life.
    package static let attachVerb = "attach-network"
    /// The network namespace, in the process that runs the verb.
    package static let namespaceDescriptor: Int32 = 3

    /// What a pod is called on this node: the sandbox's id, of which there is one; without a sandbox the container's,
    /// which another of containerd's namespaces may have too.
    package static func name(of spec: OCISpec, container id: String, namespace: String) -> String {
        spec.sandboxID ?? "\(namespace).\(id)"
    }

    private var networks: [String: PodNetwork] = [:]
    private var waiting: [String: [(Result<PodNetwork, TrafficError>) -> Void]] = [:]

    /// Gives the pod's network, counted as used until `leave`.
    func attach(
        pod name: String, _ namespace: consuming Namespace, _ context: ShimContext,
        _ then: @escaping (Result<PodNetwork, TrafficError>) -> Void
    ) {
        if let network = networks[name] {
            network.users += 1
            return then(.success(network))
        }
        waiting[name, default: []].append(then)
        if waiting[name]?.count != 1 { return }
        let holder = Holder(namespace)
        do throws(SystemError) {
            var command = Command("/proc/self/exe", ["-id", name, Self.attachVerb])
            command.descriptors[Self.namespaceDescriptor] = holder.namespace.descriptor.rawValue
            try context.children.run(command) { [self] status, output in
                let text = output.split(separator: "\n").joined(separator: "; ")
                if status.isSuccess {
                    context.log.info("redirector \(text)", ["pod": name])
                    opened(name, holder, context)
                } else {
                    answer(name, .failure(TrafficError(description: text.isEmpty ? "\(status)" : text)))
                }
            }
        } catch {
            answer(name, .failure(TrafficError(description: "\(error)")))
        }
    }

    private func opened(_ name: String, _ holder: Holder, _ context: ShimContext) {
        do throws(SystemError) {
            let network = try PodNetwork(name: name, namespace: try holder.namespace.duplicate(), context)
            networks[name] = network
            network.users = waiting[name]?.count ?? 0
            answer(name, .success(network))
        } catch {
            answer(name, .failure(TrafficError(description: "\(error)")))
        }
    }

    private func answer(_ name: String, _ result: Result<PodNetwork, TrafficError>) {
        for body in waiting.removeValue(forKey: name) ?? [] { body(result) }
    }

    /// The last one to leave takes the redirector away.
    func leave(_ network: PodNetwork, _ log: Log) {
        network.users -= 1
        guard network.users == 0 else { return }
        networks[network.name] = nil
        do {
            try Redirector.detach(pod: network.name, networkNamespace: network.namespace)
        } catch {
            log.error("cannot take the redirector away: \(error)", ["pod": network.name])
        }
    }

    /// For closures, which cannot hold what cannot be copied.
    private final class Holder {
        let namespace: Namespace
        init(_ namespace: consuming Namespace) { self.namespace = namespace }
    }
}
