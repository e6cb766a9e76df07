import Linux

/// The end of a daemon whose node is not labelled any more: labels and requests of its pods become what they were, which
/// nobody else would do. At every other end, such as an upgrade, all stays for the successor.
final class Leaving {
    /// The kubelet gives a pod thirty seconds to end.
    private static let forTheAnswer = Instant.Span.seconds(5)
    private static let forThePods = Instant.Span.seconds(20)

    private let api: APIServer
    private let loop: EventLoop
    private let log: Log
    private var timer: Timer?
    private var then: (() -> Void)?

    init(_ api: APIServer, loop: EventLoop, log: Log, then: @escaping () -> Void) {
        (self.api, self.loop, self.log, self.then) = (api, loop, log, then)
    }

    /// Asks whether the node is still labelled.
    ///
    /// - Parameter putBack: called if it is not; `end` is to be called when that is done.
    func begin(node: String, putBack: @escaping () -> Void) {
        wait(Self.forTheAnswer)
        api.ask("GET", "/api/v1/nodes/\(node)") { [weak self] result in
            guard let self, then != nil else { return }
            guard case .success(let document) = result, !NodeCheck.isLabelled(document) else { return end() }
            log.info("the node is not labelled any more: labels and requests of pods become what they were")
            wait(Self.forThePods)
            putBack()
        }
    }

    /// All is put back, or nothing has to be.
    func end() {
        if let timer { loop.cancel(timer) }
        timer = nil
        then?()
        then = nil
    }

    private func wait(_ span: Instant.Span) {
        if let timer { loop.cancel(timer) }
        timer = loop.after(span) { [weak self] in
            self?.log.warning("not all labels and requests of pods are what they were: the API server takes too long")
            self?.timer = nil
            self?.end()
        }
    }
}
