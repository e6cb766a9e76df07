import Foundation

extension Entry {
    /// The file that containerd starts.
    static let binarySize = Entry(rows: ["binary-size"], isQuick: true) { bench in
        let files = [
            (Report.Side.ours, "/opt/zeropod/bin/containerd-shim-zeropod-v2"),
            (.control, "/usr/bin/containerd-shim-runc-v2"),
        ]
        for (side, path) in files {
            let attributes = try FileManager.default.attributesOfItem(atPath: bench.node.root + path)
            await bench.report.note("binary-size", "kB", side, (attributes[.size] as? Double ?? .nan) / 1000)
        }
    }
}
