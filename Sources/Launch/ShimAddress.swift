import CMD

/// Where a shim listens: one address for all containers of a group.
package struct ShimAddress: Equatable, Sendable {
    package let path: String

    /// containerd's tools look for shims here.
    static let directory = "/run/containerd/s"

    /// - Parameters:
    ///   - containerd: the address of the containerd that asks; two on one machine must not share shims.
    ///   - group: the pod, or a name that several pods share, or the container alone.
    package init(containerd: String, namespace: String, group: String) {
        path = "\(Self.directory)/\(Self.sha256("\(containerd)/\(namespace)/\(group)"))"
    }

    package var url: String { "unix://\(path)" }

    private static func sha256(_ text: String) -> String {
        let bytes = Array(text.utf8)
        // 64 digits and the NUL.
        var digits = [CChar](repeating: 0, count: 65)
        SHA256Data(bytes, bytes.count, &digits)
        return String(decoding: digits.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
