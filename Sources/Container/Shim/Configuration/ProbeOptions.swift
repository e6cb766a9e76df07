import DataPath

/// What is answered without waking the container.
package struct ProbeOptions: Equatable, Sendable {
    /// The kubelet's probes are told from other traffic.
    package let detection: Bool
    /// How many bytes of a request are looked at to tell.
    package let bufferSize: Int
    /// Ports whose traffic neither wakes the container nor keeps it awake.
    package let passivePorts: Set<UInt16>

    private static let defaultBufferSize = 1024
    /// As much as is kept of a request awake: of one that is longer no answer is known.
    private static let largestBuffer = Redirector.longestRequest

    init(_ reader: AnnotationReader, selected: Set<String>?, container: String?) throws(AnnotationError) {
        detection = try !(reader.flag("disable-probe-detection") ?? false)
        bufferSize = min(try reader.size("probe-buffer-size") ?? Self.defaultBufferSize, Self.largestBuffer)
        passivePorts = try reader.portsMap("passive-ports", selected: selected, container: container)?.tcp ?? []
    }
}
