import ContainerdAPI
import Linux
import Protobuf

/// Who calls `start`: what a containerd of its generation tells, and in which form it takes the answer.
///
/// Up to 2.2 the command line and the environment tell everything but the runtime options, which come as an `Any` on
/// standard input. From 2.3 on `BootstrapParams` come there, and what they say counts.
package struct StartCaller: Equatable {
    /// In which form the answer is understood.
    package enum Answer: Equatable {
        /// 1.6: the address alone.
        case address
        /// From 1.7 on. 1.7 refuses versions above 2.
        case json(version: Int)
        /// From 2.3 on.
        case protobuf
    }

    package let answer: Answer
    package let id: String
    package let namespace: String
    /// containerd's own socket, and the one that events go to.
    package let address: String
    package let eventAddress: String
    package let debug: Bool
    package let socketDirectory: String
    package let options: AnyMessage?

    /// The Task service of version 3 has another name and the same messages; both are served, so any answer is true.
    static let latestVersion = 3

    /// - Parameters:
    ///   - maxVersion: `MAX_SHIM_VERSION` of the environment. It is 2 in all versions that set it.
    ///   - eventAddress: `TTRPC_ADDRESS` of the environment.
    package init(
        _ invocation: Invocation, input: [UInt8], maxVersion: String?, eventAddress: String
    ) throws(ProtobufError) {
        let input = try StartInput(decoding: input, id: invocation.id, namespace: invocation.namespace)
        options = input.runtimeOptions
        id = invocation.id
        namespace = invocation.namespace
        if case .bootstrap(let params) = input {
            answer = .protobuf
            address = params.grpcAddress.isEmpty ? invocation.address : params.grpcAddress
            self.eventAddress = params.ttrpcAddress.isEmpty ? eventAddress : params.ttrpcAddress
            debug = invocation.debug || params.logLevel <= BootstrapParams.debugLevel
            let directory = params.socketDirectory ?? ""
            socketDirectory = directory.isEmpty ? ShimAddress.directory : directory
        } else {
            let most = maxVersion.flatMap { Int($0) } ?? 0
            answer = most < 2 ? .address : .json(version: min(most, Self.latestVersion))
            address = invocation.address
            self.eventAddress = eventAddress
            debug = invocation.debug
            socketDirectory = ShimAddress.directory
        }
    }

    /// The answer's bytes.
    package func answer(with address: ShimAddress) -> [UInt8] {
        switch answer {
        case .address:
            return Array(address.url.utf8)
        case .json(let version):
            return Array(#"{"version":\#(version),"address":"\#(address.url)","protocol":"ttrpc"}"#.utf8)
        case .protobuf:
            return BootstrapResult {
                $0.version = Int32(Self.latestVersion)
                $0.address = address.url
                $0.transport = "ttrpc"
            }.encoded()
        }
    }
}
