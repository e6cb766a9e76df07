import Protobuf

package struct ProcessInfo: Message {
    package static var name: String { "containerd.v1.types.ProcessInfo" }

    package var pid: UInt32 = 0
    /// `ProcessDetails` for processes that were added by Exec.
    package var info: AnyMessage?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "pid", &pid)
        try fields(2, "info", &info)
    }
}
