import Protobuf

/// Names a container by its full id.
package struct ContainerRequest: Message {
    package static var name: String { "zeropod.status.v1.ContainerRequest" }

    package var id = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
    }
}

package struct WatchRequest: Message {
    package static var name: String { "zeropod.status.v1.WatchRequest" }

    /// `StatusList.generation` of what the caller has seen; 0: nothing.
    package var generation: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "generation", &generation)
    }
}

package struct StatusList: Message {
    package static var name: String { "zeropod.status.v1.StatusList" }

    /// Rises with every change; begins anew, above zero, with every shim process.
    package var generation: UInt64 = 0
    package var containers: [ContainerReport] = []
    /// Of the shim.
    package var pid: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "generation", &generation)
        try fields(2, "containers", &containers)
        try fields(3, "pid", &pid)
    }
}
