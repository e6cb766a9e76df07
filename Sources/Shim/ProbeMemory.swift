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
    func rehearse(_ redirector: Redirector, ports: Set<UInt16>, then: @escaping () -> Void) -> Bool {
        learn(redirector, ports)
        answers = Answers()
        if requests.isEmpty { return false }
        var left = requests.count
        for (question, request) in requests {
            Inquiry.make(request, question, loop, within: Self.patience) { [self] answer in
                answers[question] = answer
                if answer == nil {
                    log.debug(
                        "a probe got no answer and will wake the container",
                        ["container": id, "to": "\(request.destination)"])
                }
                left -= 1
                if left == 0 { then() }
            }
        }
        return true
    }

    private func learn(_ redirector: Redirector, _ ports: Set<UInt16>) {
        for request in redirector.capturedRequests where ports.contains(request.destination.port) {
            let isPassive = options.passivePorts.contains(request.destination.port)
            if let question = Question(request, isPassive: isPassive) { requests[question] = request }
        }
        let now = Instant.now
        requests = requests.filter { ports.contains($0.key.port) && now.since($0.value.last) < Self.oldest }
    }
}
