import ContainerdAPI
import MessageTypes
import Protobuf
import StatusAPI

extension FuzzTarget {
    private static let types: [any Message.Type] =
        messageTypes + [
            ContainerReport.self, ContainerRequest.self, WatchRequest.self, StatusList.self, Durations.self,
        ]

    /// Each message there is; the first byte says which.
    static let messages = FuzzTarget("messages") { bytes in
        guard let first = bytes.first else { return }
        let type: any Message.Type = types[Int(first) % types.count]
        func check<M: Message>(_: M.Type) {
            guard let encoded = try? M(decoding: Array(bytes.dropFirst())).encoded() else { return }
            // Once is needed for defaults, unknown fields and order to settle.
            let again = try? M(decoding: encoded).encoded()
            precondition(again == encoded, "\(M.name) is another message when it is read back")
        }
        check(type)
    }

    /// What `start` reads from standard input.
    static let startInput = FuzzTarget("start-input") { bytes in
        guard let input = try? StartInput(decoding: bytes, id: "c", namespace: "k8s.io") else { return }
        guard let options = input.runtimeOptions else { return }
        _ = try? options.unpack(as: RuncOptions.self)
        guard let generic = try? options.unpack(as: RuntimeOptions.self) else { return }
        _ = try? RuncOptions(toml: String(decoding: generic.configBody, as: UTF8.self))
    }
}
