// A Kubernetes of one node for tests: the scripts of Tests/Kubernetes behind Swift functions.
import Commands
import Foundation
import TestNode

/// The programs to try, as KUBE_BIN names them.
package enum Kubernetes {
    /// A directory with kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy and kubelet.
    package static let programs = ProcessInfo.processInfo.environment["KUBE_BIN"].flatMap { $0.isEmpty ? nil : $0 }

    /// The number behind the 1 in the version: 20, 36. Zero if there are no programs.
    package static let minor: Int = {
        // Kubernetes v1.20.2
        guard let programs, let pipe = popen("'\(programs)/kubelet' --version", "r") else { return 0 }
        defer { pclose(pipe) }
        var line = [CChar](repeating: 0, count: 200)
        guard fgets(&line, Int32(line.count), pipe) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.split(separator: ".").dropFirst().first.flatMap { Int($0) } ?? 0
    }()

    /// Containerd 2 has dropped CRI v1alpha2, the only one that is spoken before Kubernetes 1.23.
    package static func speaks(to containerd: Containerd) -> Bool {
        minor >= 26 || minor > 0 && containerd == .previous
    }

    /// Requests of a running pod can be changed.
    package static var resizes: Bool { minor >= 33 }
}

extension Kubernetes {
    /// The manifests of the project.
    package static let configuration = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../../../config").standardized

    /// Where kubectl and kustomize are.
    package static func tools() async throws -> String {
        try await Command.run([Cluster.script, "tools"], deadline: .seconds(600)).trimmed
    }
}

extension Kubernetes {
    package static var newestContainerd: Containerd { speaks(to: .current) ? .current : .previous }
}
