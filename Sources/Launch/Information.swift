import ContainerdAPI
import Glibc
import Linux
import Protobuf

/// The `-info` action: what containerd 2.0 and later want to know of a runtime before they use it.
package enum Information {
    package static let version = "0.1.0"

    /// Gives a RuntimeInfo. Its features are those of the runc that will run the containers, as runc itself tells them.
    package static func gather() throws(SystemError) -> [UInt8] {
        let question = try? AnyMessage(decoding: Descriptor.open("/dev/stdin").readAll())
        let options = try? question?.unpack(as: RuncOptions.self)
        let binary = options?.binaryName ?? ""
        let features = try output(of: Command.find(binary.isEmpty ? "runc" : binary), ["features"])
        let information = RuntimeInfo {
            $0.name = "io.containerd.zeropod.v2"
            $0.version = RuntimeVersion { $0.version = version }
            $0.options = question
            if !features.isEmpty {
                $0.features = AnyMessage(typeURL: OCISpec.features, value: Array(features.utf8))
            }
        }
        return information.encoded()
    }

    private static func output(of program: String?, _ arguments: [String]) throws(SystemError) -> String {
        guard let program else { return "" }
        let loop = try EventLoop()
        let children = try Children(loop: loop)
        var result = ""
        try children.run(Command(program, arguments)) { status, output in
            if status.isSuccess { result = output }
            loop.stop()
        }
        try loop.run()
        return result
    }
}
