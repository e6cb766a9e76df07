import JSON

/// Why the API server did not do what it was asked.
struct APIFailure: Error, Equatable, CustomStringConvertible {
    /// HTTP's; 0 if there was no answer.
    let status: Int
    /// `AlreadyExists`, `Conflict`, `Expired`, `Invalid`, …; empty if the server named none.
    var reason = ""
    let message: String

    init(status: Int, reason: String = "", message: String) {
        (self.status, self.reason, self.message) = (status, reason, message)
    }

    /// From what came as the body: a `Status` object, or any text.
    init(status: Int, _ document: JSON?, _ bytes: [UInt8]) {
        let text = String(decoding: bytes.prefix(200), as: UTF8.self)
        self.init(
            status: document?["code"]?.integer() ?? status, reason: document?["reason"]?.string ?? "",
            message: document?["message"]?.string ?? String(text.split(separator: "\n").first ?? "no text"))
    }

    var description: String { status == 0 ? message : "\(status) \(reason): \(message)" }

    /// What the caller does about it.
    enum Kind {
        /// It is not there (any more): there is nothing to do.
        case gone
        /// Somebody else was first: look again, then decide.
        case conflict
        /// What was asked for is already so.
        case exists
        /// It has been understood and will not be done; the same again would be refused again.
        case refused
        /// It may go well later.
        case passing
    }

    var kind: Kind {
        switch (status, reason) {
        case (404, _): .gone
        case (409, "AlreadyExists"): .exists
        case (409, _): .conflict
        case (408, _), (429, _), (0, _): .passing
        // Of a namespace that is being deleted nothing is wanted any more.
        case (403, _) where message.contains("because it is being terminated"): .gone
        // A service account's token that has run out is replaced soon.
        case (401, _): .passing
        case (400..<500, _): .refused
        default: .passing
        }
    }
}
