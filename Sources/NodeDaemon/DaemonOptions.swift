import Glibc
import Linux
import StatusAPI

/// What the daemon is told on its command line.
package struct DaemonOptions {
    package var showsHelp = false
    var metricsAddress = "127.0.0.1:8080"
    /// Names, separated by commas.
    var host = ""
    var authenticates = false
    var nodeName = ""
    var statusLabels = false
    var statusEvents = false
    var inPlaceScaling = false
    var scaledDownCPU = "1m"
    var scaledDownMemory = "1Ki"
    var debugging = false
    var shims = StatusService.directory
    var state = "/var/lib/zeropod-node"
    var server = ""
    var tokenFile = ""
    var authority = ""
    var clientCertificate = ""
    var clientKey = ""
    /// Flags that were understood and have no effect.
    var ignored: [String] = []

    package static let usage = """
        usage: zeropod node [FLAG...]

          --metrics-addr ADDRESS,...    where /, /metrics, /healthz and /readyz are served (127.0.0.1:8080);
                                        in a cluster also /cluster, with the containers of all nodes
          --host NAME,...               names that requests may call this host by, besides its addresses and the node's
          --authenticate                / and /metrics want a token of the cluster, whose user may get these paths
          --node-name NAME              this node, as the cluster calls it ($NODE_NAME)
          --status-labels               label pods with what their containers do, and annotate them with why
          --status-events               make an event of each sleep, wake and failure
          --in-place-scaling            lower the requests of pods while they sleep
          --scaled-down-cpu QUANTITY    to this (1m)
          --scaled-down-memory QUANTITY to this (1Ki)
          --server URL                  the API server (inside a pod: found)
          --token-file FILE             the bearer token (the pod's service account)
          --ca FILE                     who signs the server's certificate (likewise)
          --client-certificate FILE, --client-key FILE
                                        instead of a token
          --shims DIRECTORY             where the shims' sockets are (/run/zeropod/s)
          --state DIRECTORY             where the requests of sleeping pods are kept (/var/lib/zeropod-node)
          --debug                       say more
        """

    /// Flags of upstream's manager: its manifests are to be taken as they are.
    private static let without = [
        "node-server-addr", "probe-binary-name", "max-concurrent-reconciles", "pages-transfer-timeout",
        "migration-servers-timeout", "migration-claim-timeout", "migration-ready-timeout",
    ]
    private static let withoutValue = ["tracker-ignore-localhost", "auto-gc-migrations", "version"]

    package init(_ arguments: [String], environment: (String) -> String? = { Environment[$0] }) throws(FlagError) {
        nodeName = environment("NODE_NAME") ?? ""
        var flags = Flags(arguments)
        while let flag = try flags.next() {
            switch flag.name {
            case "help", "h": showsHelp = true
            case "status-labels": statusLabels = try Flags.isOn(flag)
            case "status-events": statusEvents = try Flags.isOn(flag)
            case "in-place-scaling": inPlaceScaling = try Flags.isOn(flag)
            case "authenticate": authenticates = try Flags.isOn(flag)
            case "debug": debugging = try Flags.isOn(flag)
            case let name where Self.withoutValue.contains(name): ignored.append(name)
            case let name where Self.without.contains(name):
                _ = try flags.value(of: flag)
                ignored.append(name)
            default: try set(flag, &flags)
            }
        }
        try check(inPod: environment)
    }

    private mutating func set(_ flag: (name: String, value: String?), _ flags: inout Flags) throws(FlagError) {
        let texts: [String: WritableKeyPath<Self, String>] = [
            "metrics-addr": \.metricsAddress, "host": \.host, "node-name": \.nodeName,
            "scaled-down-cpu": \.scaledDownCPU,
            "scaled-down-memory": \.scaledDownMemory, "shims": \.shims, "state": \.state,
            "server": \.server, "token-file": \.tokenFile,
            "ca": \.authority, "client-certificate": \.clientCertificate, "client-key": \.clientKey,
        ]
        guard let field = texts[flag.name] else {
            throw FlagError("there is no flag --\(flag.name): 'zeropod node --help' lists them")
        }
        self[keyPath: field] = try flags.value(of: flag)
    }
}
