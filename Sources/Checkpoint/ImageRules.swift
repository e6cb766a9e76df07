/// How images are kept, as the node's operator has it.
package struct ImageRules: Sendable {
    /// Where all images of the node are.
    package var place: String
    /// The pod whose images they are, as it is called on this node.
    package var pod: String
    /// Bytes; nil: as many as the disk takes.
    package var ofPod: UInt64?
    package var ofNode: UInt64?
    /// Seconds that the images of a failed restore are kept.
    package var failedAge: Int
    /// They are not written in the clear.
    package var areEncrypted: Bool

    package init(
        place: String, pod: String, ofPod: UInt64? = nil, ofNode: UInt64? = nil, failedAge: Int,
        areEncrypted: Bool = false
    ) {
        (self.place, self.pod, self.ofPod, self.ofNode) = (place, pod, ofPod, ofNode)
        (self.failedAge, self.areEncrypted) = (failedAge, areEncrypted)
    }
}
