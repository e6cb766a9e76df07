import DataPath
import Linux

/// What probes ask of a container, and what it answered last.
final class ProbeMemory {
    private let options: ProbeOptions
    private let loop: EventLoop
    private let log: Log
    private let id: String
    private var requests: [Question: CapturedRequest] = [:]
    private(set) var answers = Answers()

    /// A probe that was not seen for so long is not asked for any more.
    private static let oldest = Instant.Span.seconds(600)
    /// A kubelet waits for a second, if it was not told otherwise.
    private static let patience = Instant.Span.seconds(1)

    init(for container: Container) {
        options = container.configuration.probes
        loop = container.context.loop
        log = container.context.log
        id = container.id
    }

    var manners: Reception.Manners {
        var manners = Reception.Manners()
        manners.answers = answers
        manners.passivePorts = options.passivePorts
        manners.limit = options.bufferSize
        manners.tell = { [log, id] in log.info($0, ["container": id]) }
        return manners
    }

    /// Tells the redirector which addresses the node has now.
    func setProbers(of redirector: Redirector) throws(SystemError) {
        if options.detection { try redirector.setProbers(try OwnAddresses.all()) }
    }

    /// Asks the application what probes asked it, as they did: from the node, on a connection each.
    ///
    /// - Parameter then: Called when all is answered, or the time is up.
    /// - Returns: false if there is nothing to ask; then it is not called.
    func rehearse(
        _ redirector: Redirector, ports: Set<UInt16>, by network: NetworkThread, then: @escaping () -> Void
    ) -> Bool {
        answers = Answers()
        let captured = redirector.capturedRequests.filter { ports.contains($0.destination.port) }
        if captured.isEmpty && requests.isEmpty { return false }
        do throws(SystemError) {
            try network.read(captured, passivePorts: options.passivePorts) { [self] found in
                learn(found, ports)
                ask(by: network, then)
            }
            return true
        } catch {
            log.debug("probes will wake the container: \(error)", ["container": id])
            return false
        }
    }

    private func learn(_ found: [Question: CapturedRequest], _ ports: Set<UInt16>) {
        requests.merge(found) { _, new in new }
        let now = Instant.now
        requests = requests.filter { ports.contains($0.key.port) && now.since($0.value.last) < Self.oldest }
    }

    private func ask(by network: NetworkThread, _ then: @escaping () -> Void) {
        if requests.isEmpty { return then() }
        var left = requests.count
        for (question, request) in requests {
            let answered = { [self] (answer: [UInt8]?) in
                answers[question] = answer
                if answer == nil {
                    log.debug(
                        "a probe got no answer and will wake the container",
                        ["container": id, "to": "\(request.destination)"])
                }
                left -= 1
                if left == 0 { then() }
            }
            do throws(SystemError) {
                try network.ask(request, question, within: Self.patience, then: answered)
            } catch {
                // Not at once: others have to be asked first.
                loop.soon { answered(nil) }
            }
        }
    }
}
