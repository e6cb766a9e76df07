import Protobuf

package struct CgroupV2IO: Message {
    package static var name: String { "io.containerd.cgroups.v2.IOStat" }

    package var usage: [CgroupV2IOEntry] = []
    package var psi: CgroupV2Pressure?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "usage", &usage)
        try fields(2, "psi", &psi)
    }
}

package struct CgroupV2IOEntry: Message {
    package static var name: String { "io.containerd.cgroups.v2.IOEntry" }

    package var major: UInt64 = 0
    package var minor: UInt64 = 0
    package var rbytes: UInt64 = 0
    package var wbytes: UInt64 = 0
    package var rios: UInt64 = 0
    package var wios: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "major", &major)
        try fields(2, "minor", &minor)
        try fields(3, "rbytes", &rbytes)
        try fields(4, "wbytes", &wbytes)
        try fields(5, "rios", &rios)
        try fields(6, "wios", &wios)
    }
}
