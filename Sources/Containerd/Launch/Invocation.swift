import Linux

/// How containerd called the program: flags with one dash, then an action. Without an action it is to serve.
package struct Invocation: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        case serve
        case start
        case delete
        /// `-info`
        case information
        /// `-v`
        case version
        /// Our own: see `PodNetworks`.
        case attachNetwork
    }

    package var action: Action = .serve
    package var namespace = ""
    package var id = ""
    /// containerd's own socket.
    package var address = ""
    package var bundle = ""
    package var debug = false

    package struct Mistake: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter arguments: without the program's name.
    package init(_ arguments: [String]) throws(Mistake) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-") else {
                action = try Self.action(argument)
                continue
            }
            // Go's flag package takes one dash or two, and the value behind "=" or as the next argument.
            let body = argument.drop { $0 == "-" }
            let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let inline = parts.count > 1 ? String(parts[1]) : nil
            func value() throws(Mistake) -> String {
                guard let value = inline ?? rest.popFirst() else {
                    throw Mistake(description: "\(argument) wants a value")
                }
                return value
            }
            switch parts[0] {
            case "debug": debug = inline != "false"
            case "v", "version": action = .version
            case "info": action = .information
            case "namespace": namespace = try value()
            case "id": id = try value()
            case "address": address = try value()
            case "bundle": bundle = try value()
            case "publish-binary", "socket", "debug-socket": _ = try value()
            default: throw Mistake(description: "unknown flag \(argument)")
            }
        }
        if namespace.isEmpty { namespace = Environment["NAMESPACE"] ?? "" }
        if address.isEmpty { address = Environment["GRPC_ADDRESS"] ?? "" }
        // It is part of the socket's address, and of where runc keeps its state.
        if namespace.isEmpty && [.start, .serve, .delete].contains(action) {
            throw Mistake(description: "-namespace is missing")
        }
    }

    private static func action(_ word: String) throws(Mistake) -> Action {
        switch word {
        case "start": return .start
        case "delete": return .delete
        case "attach-network": return .attachNetwork
        default: throw Mistake(description: "unknown action \(word)")
        }
    }
}
