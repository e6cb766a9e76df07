import Protobuf

/// How a call went wrong: a code for programs, a message for people. The codes are gRPC's
/// (github.com/grpc/grpc, doc/statuscodes.md).
package struct Status: Error, Equatable, CustomStringConvertible {
    package enum Code: Int32, Sendable {
        case ok = 0
        case cancelled
        case unknown
        case invalidArgument
        case deadlineExceeded
        case notFound
        case alreadyExists
        case permissionDenied
        case resourceExhausted
        case failedPrecondition
        case aborted
        case outOfRange
        case unimplemented
        case `internal`
        case unavailable
        case dataLoss
        case unauthenticated
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code): \(message)" }
}

/// `google.rpc.Status`: the same on the wire.
struct StatusMessage: Message {
    static var name: String { "google.rpc.Status" }

    var code: Int32 = 0
    var message = ""
    var details: [AnyMessage] = []

    mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "code", &code)
        try fields(2, "message", &message)
        try fields(3, "details", &details)
    }
}

extension StatusMessage {
    init(_ status: Status) {
        self.init()
        code = status.code.rawValue
        message = status.message
    }

    /// A code that is not gRPC's counts as unknown.
    var status: Status { Status(Status.Code(rawValue: code) ?? .unknown, message) }
}
