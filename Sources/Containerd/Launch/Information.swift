import ContainerdAPI
import Glibc
import JSON
import Linux
import Protobuf
import StatusAPI
import TaskService

/// The `-info` action: what containerd 2.0 and later want to know of a runtime before they use it; and `-v`.
package enum Information {
    package static let program = "containerd-shim-zeropod-v2"
    package static let version = Version.text

    /// Laid out like the stock shim's.
    package static let versionText = """
        \(program):
          Version:  \(version)
          Revision:\u{20}

        """

    /// Reads the question, the runtime options, from standard input and gives a `RuntimeInfo`. Its features are those of
    /// the runc that will run the containers, as runc itself tells them.
    package static func gather() throws -> [UInt8] {
        let input = try StandardInput.read()
        let question = input.isEmpty ? nil : try AnyMessage(decoding: input)
        let binary = try RuntimeSettings(question, namespace: "").runc.binary
        guard let program = Command.find(binary) else { throw SystemError("find", binary, code: ENOENT) }
        let features = try features(of: program)
        return RuntimeInfo {
            $0.name = "io.containerd.zeropod.v2"
            $0.version = RuntimeVersion { $0.version = version }
            $0.options = question
            $0.features = features.map { AnyMessage(typeURL: OCISpec.features, value: $0) }
        }.encoded()
    }

    /// Nil for a runtime that has no such verb, as youki.
    private static func features(of program: String) throws(SystemError) -> [UInt8]? {
        let loop = try EventLoop()
        let children = try Children(loop: loop)
        var result: [UInt8]?
        try children.run(Command(program, ["features"])) { status, output in
            // Warnings would stand before it.
            if status.isSuccess, let document = try? JSON(parsing: Array(output.utf8)) { result = document.bytes }
            loop.stop()
        }
        try loop.run()
        return result
    }
}
