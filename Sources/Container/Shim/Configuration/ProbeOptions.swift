/// What is answered without waking the container.
package struct ProbeOptions: Equatable, Sendable {
    /// The kubelet's probes are told from other traffic.
    package let detection: Bool
    /// How many bytes of a request are looked at to tell.
    package let bufferSize: Int
    /// Ports whose traffic neither wakes the container nor keeps it awake.
    package let passivePorts: Set<UInt16>

    private static let defaultBufferSize = 1024
    /// A connection that is looked at costs as much memory for a moment.
    private static let largestBuffer = 64 << 10

    init(_ reader: AnnotationReader, selected: Set<String>?, container: String?) throws(AnnotationError) {
        detection = try !(reader.flag("disable-probe-detection") ?? false)
        bufferSize = min(try reader.size("probe-buffer-size") ?? Self.defaultBufferSize, Self.largestBuffer)
        passivePorts = try reader.portsMap("passive-ports", selected: selected, container: container)?.tcp ?? []
    }
}
