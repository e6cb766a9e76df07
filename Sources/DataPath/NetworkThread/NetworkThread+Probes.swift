import Linux

/// What the network thread does for a container that runs: it reads what probes asked, and what they were answered.
extension NetworkThread {
    /// Tells which of the captured requests can be answered asleep, and with what: nil where only the application can.
    ///
    /// - Parameter then: Called once, not before this returns.
    package func read(
        _ requests: [CapturedRequest], then: @escaping ([Question: [UInt8]?]) -> Void
    ) throws(SystemError) {
        var known: [Question: [UInt8]?] = [:]
        let found = loop.reply { (answers: [Question: [UInt8]?]) in known = answers }
        try begin { _, done in
            var answers: [Question: [UInt8]?] = [:]
            for request in requests.sorted(by: { $0.last < $1.last }) {
                if let question = Question(request) {
                    answers.updateValue(question.answer(in: request), forKey: question)
                }
            }
            found(answers)
            done()
        } then: {
            then(known)
        }
    }
}
