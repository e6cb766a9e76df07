import Lifecycle
import Linux
import StatusAPI

/// What can be told of a node from within a pod that may not look at it, such as the daemon's: what its kernel is, and what
/// the shims of the node say, which are root there and have tried.
struct PodChecks {
    var shims = ShimDirectory()
    /// Where the programs are on the node.
    let prefix: String

    /// Whether this process is in such a pod.
    static var isNeeded: Bool {
        // The kubelet tells it every container of a pod.
        guard Environment["KUBERNETES_SERVICE_HOST"] != nil else { return false }
        let line = (try? Files.readText("/proc/self/status"))?.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let capabilities = line.flatMap { UInt64($0.dropFirst("CapEff:".count).filter { !$0.isWhitespace }, radix: 16) }
        // CAP_NET_ADMIN and CAP_SYS_ADMIN of <linux/capability.h>.
        let needed: UInt64 = 1 << 12 | 1 << 21
        return (capabilities ?? 0) & needed != needed
    }

    func run() -> FindingsReport {
        let place = Finding.limited(
            "place",
            "a pod without CAP_NET_ADMIN and CAP_SYS_ADMIN: what its shims say is what can be told of the node",
            "the rest on the node itself: sudo \(prefix)/bin/zeropod check")
        do throws(SystemError) {
            let (found, problems) = try shims.containers()
            return report(place, found.map(\.report).filter { !$0.isSandbox }, problems)
        } catch {
            let remedy = "the DaemonSet of config/base mounts \(StatusService.directory)"
            return FindingsReport([place, .limited("shims", "\(error)", remedy)], Self.unknown)
        }
    }

    private static let unknown = "whether containers can sleep on this node is not known here"

    private func report(_ place: Finding, _ containers: [ContainerReport], _ problems: [String]) -> FindingsReport {
        let asleep = containers.count { $0.state.isAsleep }
        let haveSlept = containers.contains { $0.sleeps > 0 }
        let count =
            containers.isEmpty
            ? "no container of this node runs with zeropod"
            : "of \(containers.count) containers \(asleep) are asleep"
        let shims =
            problems.isEmpty
            ? Finding.good("shims", count)
            : .limited("shims", "\(count); \(problems.joined(separator: "; "))", "look into containerd's log")
        let obstacles = Set(containers.flatMap(\.reasons).filter { $0.hasPrefix(Reason.unable.rawValue) })
        let findings =
            [place] + KernelChecks().ofAnyProcess + [shims]
            + obstacles.sorted().map { Finding.missing("node", $0.withoutLog, "zeropod check on the node says more") }
        if !obstacles.isEmpty { return FindingsReport(findings) }
        return FindingsReport(findings, haveSlept ? "containers sleep on this node" : Self.unknown)
    }
}
