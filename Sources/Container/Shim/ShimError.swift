import Checkpoint
import Linux
import Runc

/// Why a call of containerd's failed, in the classes that it tells apart.
package struct ShimError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        case notFound
        case alreadyExists
        case invalidArgument
        case failedPrecondition
        case unavailable
        case unimplemented
        case other
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    package init(_ error: SystemError) {
        self.init(.other, error.description)
    }

    /// Kinds as the stock shim gives them.
    package init(_ error: RuncError) {
        let kind: Kind =
            switch error.kind {
            case .containerNotFound, .processFinished: .notFound
            case .containerExists: .alreadyExists
            case .notRunning, .paused, .notPaused, .stillRunning: .failedPrecondition
            case .system, .other: .other
            }
        self.init(kind, error.description)
    }
}

/// How an operation that takes its time ends: called once, on the loop.
package typealias Completion<Value> = (Result<Value, ShimError>) -> Void
