import Foundation

/// A runtime handler of the node, by the name that a RuntimeClass would give it.
package enum Runtime: String, Sendable, CustomStringConvertible {
    case runc
    case zeropod
    /// Ours with crun, and with all options that there are (Tests/Node/conf).
    case crun = "zeropod-crun"
    case options = "zeropod-options"
    /// Ours with control groups made by systemd, on nodes that have it.
    case systemd = "zeropod-systemd"

    package var description: String { rawValue }

    /// The directory of the shim to try, from the environment: it is built by another command than the tests are.
    package static let shim = ProcessInfo.processInfo.environment["ZEROPOD_SHIM_DIRECTORY"].map { URL(filePath: $0) }

    /// Both when there is a shim to try, else the stock one, which at least tries the harness.
    package static let available: [Runtime] = shim == nil ? [.runc] : [.runc, .zeropod]
}

/// A containerd with one of its runtimes.
package struct Setup: Sendable, CustomStringConvertible {
    package let containerd: Containerd
    package let runtime: Runtime

    package var description: String { "\(runtime) on \(containerd)" }

    /// Ours, and the stock one beside it, which tells what a failure is to be laid at.
    package static let usual = Containerd.usual.flatMap { containerd in
        Runtime.available.map { Setup(containerd: containerd, runtime: $0) }
    }

    /// These, and ours on the other containerd.
    package static let all =
        usual
        + Containerd.allCases.filter { !Containerd.usual.contains($0) && Runtime.shim != nil }.map {
            Setup(containerd: $0, runtime: .zeropod)
        }
}
