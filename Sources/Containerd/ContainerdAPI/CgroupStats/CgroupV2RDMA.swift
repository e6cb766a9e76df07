import Protobuf

package struct CgroupV2RDMA: Message {
    package static var name: String { "io.containerd.cgroups.v2.RdmaStat" }

    package var current: [CgroupV2RDMAEntry] = []
    package var limit: [CgroupV2RDMAEntry] = []

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "current", &current)
        try fields(2, "limit", &limit)
    }
}

package struct CgroupV2RDMAEntry: Message {
    package static var name: String { "io.containerd.cgroups.v2.RdmaEntry" }

    package var device = ""
    package var hcaHandles: UInt32 = 0
    package var hcaObjects: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "device", &device)
        try fields(2, "hca_handles", &hcaHandles)
        try fields(3, "hca_objects", &hcaObjects)
    }
}
