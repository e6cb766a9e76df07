import Linux

/// What the network thread does for a container that runs: it reads what probes asked, and what they were answered.
extension NetworkThread {
    /// Tells what the application has said to each of the captured requests.
    ///
    /// - Parameter then: Called once, not before this returns.
    package func read(
        _ requests: [CapturedRequest], then: @escaping ([Question: Verdict]) -> Void
    ) throws(SystemError) {
        var known: [Question: Verdict] = [:]
        let found = loop.reply { (verdicts: [Question: Verdict]) in known = verdicts }
        try begin { _, done in
            var verdicts: [Question: Verdict] = [:]
            for request in requests.sorted(by: { $0.last < $1.last }) {
                if let question = Question(request) { verdicts[question] = question.verdict(on: request) }
            }
            found(verdicts)
            done()
        } then: {
            then(known)
        }
    }
}
