import Glibc

/// What clocks that count from the node's start do while a container sleeps.
package enum SleepClock: Sendable {
    /// They go on, as for processes that stand still.
    case running
    /// They stand still: a wake puts the processes into a time namespace whose clocks are as at the checkpoint.
    case stopped

    /// Whether timers of this clock go on while there are no processes.
    ///
    /// Processor time does not. A time namespace has clocks of its own but for those of the wall (time_namespaces(7)):
    /// CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM and CLOCK_TAI. Clocks of other processes have negative
    /// numbers.
    func goesOn(_ clock: Int32) -> Bool {
        switch clock {
        case CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM, CLOCK_TAI: true
        case CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID: false
        default: self == .running && clock >= 0
        }
    }
}
