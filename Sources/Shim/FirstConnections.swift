/// How the application gets the connections that come while it is away, port by port.
package struct FirstConnections: Equatable, Sendable {
    /// Ports whose connections it accepts itself.
    package internal(set) var accepted: Set<UInt16> = []
    /// Ports whose connections are accepted in its place, and relayed.
    package internal(set) var relayed: Set<UInt16> = []
    /// Why some are relayed; empty if none is.
    package var reason: String { relayed.isEmpty ? "" : "the annotation handover says so" }

    init(of ports: Set<UInt16>, relayed: Set<UInt16>) {
        accepted = ports.subtracting(relayed)
        self.relayed = relayed
    }

    /// Nothing is known of a container without ports.
    package init() {}
}
