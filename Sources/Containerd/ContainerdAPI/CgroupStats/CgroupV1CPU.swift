import Protobuf

package struct CgroupV1CPU: Message {
    package static var name: String { "io.containerd.cgroups.v1.CPUStat" }

    package var usage: CgroupV1CPUUsage?
    package var throttling: CgroupV1CPUThrottling?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "usage", &usage)
        try fields(2, "throttling", &throttling)
    }
}

/// In nanoseconds.
package struct CgroupV1CPUUsage: Message {
    package static var name: String { "io.containerd.cgroups.v1.CPUUsage" }

    package var total: UInt64 = 0
    package var kernel: UInt64 = 0
    package var user: UInt64 = 0
    package var perCpu: [UInt64] = []

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "total", &total)
        try fields(2, "kernel", &kernel)
        try fields(3, "user", &user)
        try fields(4, "per_cpu", &perCpu)
    }
}

package struct CgroupV1CPUThrottling: Message {
    package static var name: String { "io.containerd.cgroups.v1.Throttle" }

    package var periods: UInt64 = 0
    package var throttledPeriods: UInt64 = 0
    package var throttledTime: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "periods", &periods)
        try fields(2, "throttled_periods", &throttledPeriods)
        try fields(3, "throttled_time", &throttledTime)
    }
}
