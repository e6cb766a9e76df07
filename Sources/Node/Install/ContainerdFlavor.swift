import Linux

/// A containerd on the host: whose it is, where its configuration and its programs are, and what restarts it.
package struct ContainerdFlavor: Equatable {
    package enum Kind: String, CaseIterable {
        case containerd
        case k3s
        case rke2
    }

    package let kind: Kind
    /// The file to write. k3s and rke2 make the real one of it at each start.
    package let configuration: String
    /// The file that containerd reads, where that is another one.
    package let rendered: String?
    /// Directories to find `containerd` and `ctr` in, before the usual ones.
    package let programs: [String]
    /// Where the daemon listens, unless its configuration says another place.
    package let socket: String
    /// The units of systemd of which one runs it.
    package let units: [String]

    package static func standard(configuration: String = "/etc/containerd/config.toml") -> ContainerdFlavor {
        ContainerdFlavor(
            kind: .containerd, configuration: configuration, rendered: nil, programs: [],
            socket: "/run/containerd/containerd.sock", units: ["containerd"])
    }

    private static func rancher(_ kind: Kind, on host: Host) -> ContainerdFlavor {
        let data = "/var/lib/rancher/\(kind.rawValue)"
        let directory = "\(data)/agent/etc/containerd"
        // From containerd 2 on there is a template for version 3, which is preferred where both are there.
        let isThird =
            (try? Files.readText(host.path("\(directory)/config.toml")))
            .map { ContainerdConfiguration($0).version >= 3 } ?? false
        return ContainerdFlavor(
            kind: kind, configuration: "\(directory)/config\(isThird ? "-v3" : "").toml.tmpl",
            rendered: "\(directory)/config.toml",
            programs: ["\(data)/data/current/bin", "\(data)/bin"], socket: "/run/k3s/containerd/containerd.sock",
            units: kind == .k3s ? ["k3s", "k3s-agent"] : ["rke2-server", "rke2-agent"])
    }

    /// What a new template begins with: what k3s and rke2 would have written without one.
    package static let template = "{{ template \"base\" . }}\n"

    /// The one that is on the host. Where several are, the more particular one: k3s and rke2 bring their own, beside
    /// which the distribution's may be installed without being used.
    package static func find(on host: Host) -> ContainerdFlavor {
        for kind in [Kind.k3s, .rke2] where host.exists("/var/lib/rancher/\(kind.rawValue)/agent/etc/containerd") {
            return rancher(kind, on: host)
        }
        return standard()
    }

    package static func named(_ name: String, on host: Host) throws(Problem) -> ContainerdFlavor {
        guard let kind = Kind(rawValue: name) else {
            let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem("there is no kind '\(name)' of containerd: it is one of \(names)")
        }
        return kind == .containerd ? standard() : rancher(kind, on: host)
    }
}
