import DataPath
import Linux

/// What probes ask of a container, and what it answered last.
final class ProbeMemory {
    private let options: ProbeOptions
    private let otherSources: Set<UInt128>
    private let loop: EventLoop
    private let log: Log
    private let id: String
    /// Answers from before this time are those of an earlier container of the pod, and do not count.
    private let start = Instant.now
    private var answers = Answers()
    /// The probe that the application has failed last, in words for people; nil: none.
    private(set) var failure: String?

    /// A probe that was not seen for so long is forgotten.
    private static let oldest = Instant.Span.seconds(600)

    init(for container: Container) {
        options = container.configuration.probes
        otherSources = container.context.policy.probeSources
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

    /// Tells the redirector which addresses the node has now, and which others the operator has named.
    func setProbers(of redirector: Redirector) throws(SystemError) {
        if options.detection { try redirector.setProbers(try OwnAddresses.all(), besides: otherSources) }
    }

    /// Reads what probes asked, and what the application answered each of them. Nothing is asked of the application:
    /// whoever asks asleep gets what it got before.
    ///
    /// - Parameter then: Called once it is known.
    /// - Returns: false if there is nothing to read; then it is not called.
    func learn(
        _ redirector: Redirector, ports: Set<UInt16>, by network: NetworkThread, then: @escaping () -> Void
    ) -> Bool {
        (answers, failure) = (Answers(), nil)
        let now = Instant.now
        let captured = redirector.capturedRequests.filter {
            ports.contains($0.port) && $0.last > start && now.since($0.last) < Self.oldest
        }
        if captured.isEmpty { return false }
        do throws(SystemError) {
            try network.read(captured) { [self] found in
                for (question, verdict) in found { answers[question] = verdict.answer }
                failure = found.values.compactMap(\.failure).min()
                let unknown = found.values.count { $0 == .unknown }
                if unknown > 0 {
                    log.debug("the answers to \(unknown) probes cannot be given again: these wake", ["container": id])
                }
                then()
            }
            return true
        } catch {
            log.debug("probes will wake the container: \(error)", ["container": id])
            return false
        }
    }
}
