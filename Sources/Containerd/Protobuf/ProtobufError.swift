/// Why bytes are not the message they should be, and in which field.
package struct ProtobufError: Error, Equatable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case truncated = "ends in the middle of a value"
        case overlongVarint = "has a varint of more than 64 bits"
        case badFieldNumber = "has a field number that cannot be"
        case badWireType = "has a wire type that cannot be"
        case group = "has a group, which is not supported"
        case wrongWireType = "has another wire type than its definition"
        case outOfRange = "has a value that does not fit its type"
        case notUTF8 = "is not UTF-8"
        case tooDeep = "is nested too deeply"
    }

    package let reason: Reason
    /// From the outermost message inwards: `CreateTaskRequest.rootfs.source`.
    package private(set) var path: String

    init(_ reason: Reason, _ field: String) {
        self.reason = reason
        path = field
    }

    init(_ reason: Reason, _ field: StaticString) {
        self.init(reason, field.description)
    }

    /// The same error, seen from the message or field around it.
    func inside(_ outer: String) -> ProtobufError {
        var error = self
        error.path = path.isEmpty ? outer : "\(outer).\(path)"
        return error
    }

    package var description: String { "\(path) \(reason.rawValue)" }
}
