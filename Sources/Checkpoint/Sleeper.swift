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
    let segments: SharedSegments
}
