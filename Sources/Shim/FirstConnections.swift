/// How the application gets the connections that come while it is away, port by port.
package struct FirstConnections: Equatable, Sendable {
    /// Ports whose connections it accepts itself.
    package internal(set) var accepted: Set<UInt16> = []
    /// Ports whose connections are accepted in its place, and relayed.
    package internal(set) var relayed: Set<UInt16> = []
    /// Why some are relayed; empty if none is.
    package internal(set) var reason = ""

    init(of ports: Set<UInt16>, relayed: Set<UInt16>, because reason: String) {
        accepted = ports.subtracting(relayed)
        self.relayed = relayed
        self.reason = relayed.isEmpty ? "" : reason
    }

    /// Nothing is known of a container without ports.
    package init() {}

    var ports: Set<UInt16> { accepted.union(relayed) }

    /// Lines for the log.
    var descriptions: [String] {
        var lines: [String] = []
        if !accepted.isEmpty {
            lines.append("first connections of ports \(accepted.sorted()): accepted by the application")
        }
        if !relayed.isEmpty { lines.append("first connections of ports \(relayed.sorted()): relayed (\(reason))") }
        return lines
    }
}
