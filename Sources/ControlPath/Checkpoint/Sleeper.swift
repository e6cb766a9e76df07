/// All that is left of a container's processes besides their images: what a restore gives them back.
package struct Sleeper: Sendable {
    package let kept: KeptContainer
    package let descriptors: KeptDescriptors
    let attributes: TaskAttributes
}
