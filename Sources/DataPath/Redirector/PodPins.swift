import Linux

/// Where the maps, programs and links of one pod are pinned.
struct PodPins: Sendable {
    let directory: String
    /// The directory while it is being filled. It gets its own name when it is complete.
    let unfinished: String

    init(pod: String) {
        // The BPF file system refuses names with dots; containerd's ids may have them, but never a colon.
        let name = String(pod.map { $0 == "." || $0 == "/" ? ":" : $0 })
        directory = "\(DataPath.root)/pods/\(name)"
        unfinished = "\(DataPath.root)/unfinished/\(name)"
    }

    enum Map: String, CaseIterable {
        case ports
        case activity
        case activators
        case counters
        case pod
        case probers
        case requests
        case datagrams
        case refusals
        case ignored
        case refusing
    }

    enum Program: String, CaseIterable {
        case ingress = "zeropod_ingress"
        case egress = "zeropod_egress"
        case steer = "zeropod_steer"
    }

    func path(_ map: Map) -> String { "\(directory)/\(map.rawValue)" }
    func path(_ program: Program) -> String { "\(directory)/\(program.rawValue)" }

    var links: String { "\(directory)/links" }
    var steeringLink: String { "\(links)/steer" }
    /// By index: names may have dots (`eth0.100`), and may change.
    func link(_ program: Program, on interface: Interface) -> String {
        "\(links)/\(interface.index)-\(program.rawValue)"
    }
}
