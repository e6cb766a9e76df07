@testable import Lifecycle

let second: UInt64 = 1_000_000_000

/// A container that listens on port 80 and has been started at time 0.
func running(scaleDownAfter: UInt64 = 10 * second) -> Lifecycle {
    var lifecycle = Lifecycle(policy: Policy(scaleDownAfter: scaleDownAfter))
    _ = lifecycle.started(at: 0)
    return lifecycle
}

func asleep() -> Lifecycle {
    var lifecycle = running()
    _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
    _ = lifecycle.checkpointEnded(.done, at: 11 * second)
    return lifecycle
}
