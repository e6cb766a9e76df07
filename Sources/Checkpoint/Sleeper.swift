import Linux

/// All that is left of a container's processes besides their images: what a restore gives them back.
package struct Sleeper: Sendable {
    /// The criu that has made the images, which it understands for certain.
    package let criu: HeldProgram
    package let kept: KeptContainer
    package let descriptors: KeptDescriptors
    let attributes: TaskAttributes
    let locks: RecordLocks
    let timers: Timers
    let timerDescriptors: TimerDescriptors
    let segments: SharedSegments

    /// How long it is until the first timer of the processes that goes on comes due (timer_create(2), setitimer(2),
    /// timerfd_create(2)); nil if there is none. What threads only wait for shows nowhere.
    package var earliestTimer: Instant.Span? {
        [timers.earliest, timerDescriptors.earliest].compactMap(\.self).min()
    }
}
