import Protobuf

/// What containerd writes to the standard input of the `start` command.
package enum StartInput: Equatable {
    /// 1.6 to 2.2, when no runtime options are configured.
    case nothing
    /// 1.6 to 2.2: the runtime options.
    case options(AnyMessage)
    /// 2.3 and later.
    case bootstrap(BootstrapParams)

    /// Tells them apart as containerd's own shim does: each could be read as the other (a type URL as an id, and the
    /// options as a namespace), so what counts is that id and namespace are those of the command line.
    package init(decoding bytes: [UInt8], id: String, namespace: String) throws(ProtobufError) {
        if bytes.isEmpty {
            self = .nothing
        } else if let params = try? BootstrapParams(decoding: bytes), params.instanceID == id,
            params.namespace == namespace
        {
            self = .bootstrap(params)
        } else {
            self = .options(try AnyMessage(decoding: bytes))
        }
    }

    /// The runtime options, however they came: `RuncOptions` or `RuntimeOptions`.
    package var runtimeOptions: AnyMessage? {
        switch self {
        case .nothing: nil
        case .options(let options): options
        case .bootstrap(let params):
            params.extensions.lazy.compactMap(\.value).first {
                $0.typeName == RuncOptions.name || $0.typeName == RuntimeOptions.name
            }
        }
    }
}
