import Linux

/// What the network thread does for a container that runs: it reads what probes asked, and what is answered to them.
extension NetworkThread {
    /// Tells which of the captured requests can be answered asleep, and what they ask.
    ///
    /// - Parameter then: Called once, not before this returns.
    package func read(
        _ requests: [CapturedRequest], passivePorts: Set<UInt16>,
        then: @escaping ([Question: CapturedRequest]) -> Void
    ) throws(SystemError) {
        var known: [Question: CapturedRequest] = [:]
        let found = loop.reply { (questions: [Question: CapturedRequest]) in known = questions }
        try begin { _, done in
            var questions: [Question: CapturedRequest] = [:]
            for request in requests {
                let isPassive = passivePorts.contains(request.destination.port)
                if let question = Question(request, isPassive: isPassive) { questions[question] = request }
            }
            found(questions)
            done()
        } then: {
            then(known)
        }
    }

    /// Asks the application a question once more, on a connection of its own from the network namespace of the calling
    /// thread.
    ///
    /// - Parameter then: Called once, not before this returns, with nil if there was no answer in time.
    package func ask(
        _ request: CapturedRequest, _ question: Question, within span: Instant.Span,
        then: @escaping ([UInt8]?) -> Void
    ) throws(SystemError) {
        let socket = OpenSocket(try TCPSocket.make(request.destination.family))
        try TCPSocket.connect(socket.descriptor, to: request.destination)
        var known: [UInt8]?
        let answered = loop.reply { (answer: [UInt8]?) in known = answer }
        try begin { room, done in
            Inquiry.make(request, question, over: socket, room.loop, within: span) { answer in
                answered(answer)
                done()
            }
        } then: {
            then(known)
        }
    }
}
