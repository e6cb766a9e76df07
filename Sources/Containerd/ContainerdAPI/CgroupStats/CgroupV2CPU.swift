import Protobuf

package struct CgroupV2CPU: Message {
    package static var name: String { "io.containerd.cgroups.v2.CPUStat" }

    package var usageUsec: UInt64 = 0
    package var userUsec: UInt64 = 0
    package var systemUsec: UInt64 = 0
    package var nrPeriods: UInt64 = 0
    package var nrThrottled: UInt64 = 0
    package var throttledUsec: UInt64 = 0
    package var psi: CgroupV2Pressure?
    package var nrBursts: UInt64 = 0
    package var burstUsec: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "usage_usec", &usageUsec)
        try fields(2, "user_usec", &userUsec)
        try fields(3, "system_usec", &systemUsec)
        try fields(4, "nr_periods", &nrPeriods)
        try fields(5, "nr_throttled", &nrThrottled)
        try fields(6, "throttled_usec", &throttledUsec)
        try fields(7, "psi", &psi)
        try fields(8, "nr_bursts", &nrBursts)
        try fields(9, "burst_usec", &burstUsec)
    }
}

/// Pressure stall information.
package struct CgroupV2Pressure: Message {
    package static var name: String { "io.containerd.cgroups.v2.PSIStats" }

    package var some: CgroupV2PressureData?
    package var full: CgroupV2PressureData?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "some", &some)
        try fields(2, "full", &full)
    }
}

/// Shares of time in percent, and the total in microseconds.
package struct CgroupV2PressureData: Message {
    package static var name: String { "io.containerd.cgroups.v2.PSIData" }

    package var avg10 = 0.0
    package var avg60 = 0.0
    package var avg300 = 0.0
    package var total: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "avg10", &avg10)
        try fields(2, "avg60", &avg60)
        try fields(3, "avg300", &avg300)
        try fields(4, "total", &total)
    }
}
