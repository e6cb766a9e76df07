/// `containerd.v1.types.Status`.
package struct TaskStatus: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static let unknown = TaskStatus(rawValue: 0)
    package static let created = TaskStatus(rawValue: 1)
    package static let running = TaskStatus(rawValue: 2)
    package static let stopped = TaskStatus(rawValue: 3)
    package static let paused = TaskStatus(rawValue: 4)
    package static let pausing = TaskStatus(rawValue: 5)
}
