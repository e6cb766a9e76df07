import CMD
import JSON
import Linux

/// Where a shim listens: one address for all containers of a group.
package struct ShimAddress: Equatable, Sendable {
    package let path: String

    /// containerd's tools look for shims here, unless it says another place (from 2.3 on).
    package static let directory = "/run/containerd/s"

    /// - Parameters:
    ///   - containerd: the address of the containerd that asks; two on one machine must not share shims.
    ///   - group: the pod, or a name that several pods share, or the container alone.
    package init(
        containerd: String, namespace: String, group: String, in directory: String = ShimAddress.directory
    ) {
        path = "\(directory)/\(Self.sha256("\(containerd)/\(namespace)/\(group)"))"
    }

    /// The address in a bundle, of the shim that was to serve it: `address` is written by `Start`; `bootstrap.json` by
    /// containerd, for a container whose shim it knew already (from 2.3 on).
    package init?(recordedIn bundle: String) {
        var url = (try? Files.readText("\(bundle)/address")) ?? ""
        if url.isEmpty, let file = try? Files.read("\(bundle)/bootstrap.json"), let record = try? JSON(parsing: file) {
            url = record["address"]?.string ?? ""
        }
        let path = UnixSocket.path(ofAddress: url)
        // Whatever else stands there is not ours to remove.
        let name = path.split(separator: "/").last ?? ""
        guard path.hasPrefix("/"), name.utf8.count == 64, name.allSatisfy(\.isHexDigit) else { return nil }
        self.path = path
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
