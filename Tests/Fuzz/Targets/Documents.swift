import ContainerdAPI
import JSON
import Runc
import Shim

@testable import StdIO

extension FuzzTarget {
    /// The specification, runc's state and messages.
    static let json = FuzzTarget("json") { bytes in
        _ = JSON.sequence(parsing: bytes)
        guard let document = try? JSON(parsing: bytes) else { return }
        let again = try? JSON(parsing: document.bytes)
        precondition(again == document, "another document when it is read back")
        let spec = OCISpec(document)
        _ = try? ContainerConfiguration(annotations: spec.annotations, container: spec.containerName)
    }

    /// The options of containerd's configuration.
    static let options = FuzzTarget("options") { bytes in
        _ = try? RuncOptions(toml: String(decoding: bytes, as: UTF8.self))
    }

    private static let annotationNames = [
        "scaledown-duration", "container-names", "ports-map", "connect-timeout", "wake", "disable-checkpointing",
        "proxy-timeout", "pre-dump", "disable-probe-detection", "probe-buffer-size", "ignore-peers",
    ]

    /// Annotations of a pod: lines of `name=value`, where a digit stands for one of our names.
    static let annotations = FuzzTarget("annotations") { bytes in
        var annotations: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let sides = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Int(sides[0]).flatMap { annotationNames.indices.contains($0) ? annotationNames[$0] : nil }
            let key = ContainerConfiguration.prefix + (name ?? String(sides[0]))
            annotations[key] = sides.count > 1 ? String(sides[1]) : ""
        }
        _ = try? ContainerConfiguration(annotations: annotations, container: "web")
        _ = try? ContainerConfiguration(annotations: annotations, container: nil)
    }

    /// Where containerd wants the standard streams: stdout and stderr, a line each.
    static let streams = FuzzTarget("streams") { bytes in
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let paths = StreamPaths(stdout: String(lines[0]), stderr: lines.count > 1 ? String(lines[1]) : "")
        _ = try? OutputTarget.pair(paths)
    }
}
