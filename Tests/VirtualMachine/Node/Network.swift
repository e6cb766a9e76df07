import Foundation

/// What a pod's interface is. Tests/VirtualMachine/network makes it, by the pod's name.
enum Network: String, CaseIterable {
    /// One end of a pair, the other being in the node's bridge.
    case veth
    case ipvlan, netkit

    /// What a row of the table says of it, behind the application.
    var label: String { self == .veth ? "" : " by \(self)" }

    /// Whether this kernel has it: netkit came with 6.7.
    var isPossible: Bool {
        self != .netkit
            || ProcessInfo.processInfo.isOperatingSystemAtLeast(
                OperatingSystemVersion(majorVersion: 6, minorVersion: 7, patchVersion: 0))
    }
}
