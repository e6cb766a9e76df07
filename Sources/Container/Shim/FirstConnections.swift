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
}
