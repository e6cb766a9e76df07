import Protobuf

/// What the shim tells containerd without being asked.
package protocol TaskEvent: Message {
    /// What subscribers filter by (containerd, core/runtime/events.go).
    static var topic: String { get }
}
