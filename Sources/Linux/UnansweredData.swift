import CLinux

/// Requests in flight, as far as the kernel can tell: data that came over a connection and was not answered yet.
package enum UnansweredData {
    /// How old the newest such data is, over connections to these ports in the calling thread's network namespace.
    ///
    /// A connection owes an answer if data came over it after data last went, or is still unread. The kernel's times
    /// are as coarse as a jiffy (1 to 10 ms): a request that follows an answer sooner than that counts as answered.
    package static func age(ofNewestTo ports: Set<UInt16>) throws(SystemError) -> Instant.Span? {
        let ports = Array(ports)
        var milliseconds: Int64 = -1
        try checking("sock_diag", "", zp_unanswered_data(ports, ports.count, &milliseconds))
        return milliseconds < 0 ? nil : .milliseconds(UInt64(milliseconds))
    }
}
