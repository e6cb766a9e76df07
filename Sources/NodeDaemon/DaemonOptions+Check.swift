import Linux

extension DaemonOptions {
    /// Whether anything is to be told to a cluster.
    var writesToCluster: Bool { statusLabels || statusEvents || inPlaceScaling }
    var needsCluster: Bool { writesToCluster || authenticates }

    var metricsAddresses: [String] { metricsAddress.split(separator: ",").map(String.init) }
    var hosts: [String] { host.split(separator: ",").map(String.init) }

    /// What cannot be right is said before anything is begun.
    mutating func check(inPod environment: (String) -> String?) throws(FlagError) {
        if metricsAddresses.isEmpty || metricsAddresses.contains(where: { ServerSocket.parse($0) == nil }) {
            throw FlagError("--metrics-addr is \"\(metricsAddress)\": not an address such as :8080")
        }
        for (flag, text) in [("cpu", scaledDownCPU), ("memory", scaledDownMemory)] {
            if let quantity = Quantity(text), !quantity.isZero { continue }
            throw FlagError("--scaled-down-\(flag) is \"\(text)\": not a quantity above zero, such as 1m or 1Ki")
        }
        if needsCluster { try findServer(environment) }
    }

    /// Inside a pod the kubelet has said where the API server is, and who we are.
    private mutating func findServer(_ environment: (String) -> String?) throws(FlagError) {
        if nodeName.isEmpty { throw FlagError("--node-name is needed, or NODE_NAME in the environment") }
        if clientCertificate.isEmpty != clientKey.isEmpty {
            throw FlagError("--client-certificate and --client-key go together")
        }
        if server.isEmpty {
            guard let host = environment("KUBERNETES_SERVICE_HOST"), let port = environment("KUBERNETES_SERVICE_PORT")
            else {
                throw FlagError(
                    "labels, events, scaling and --authenticate need an API server: this is no pod (KUBERNETES_SERVICE_HOST is not set),"
                        + " and there is no --server")
            }
            server = "https://\(host.contains(":") ? "[\(host)]" : host):\(port)"
            let account = "/var/run/secrets/kubernetes.io/serviceaccount"
            if tokenFile.isEmpty && clientKey.isEmpty { tokenFile = "\(account)/token" }
            if authority.isEmpty { authority = "\(account)/ca.crt" }
        }
        while server.hasSuffix("/") { server.removeLast() }
        guard server.hasPrefix("https://") || server.hasPrefix("http://") else {
            throw FlagError("--server is \"\(server)\": not a URL such as https://10.96.0.1:443")
        }
        for (flag, file) in [
            ("token-file", tokenFile), ("ca", authority), ("client-certificate", clientCertificate),
            ("client-key", clientKey),
        ] where !file.isEmpty && (try? Files.read(file)) == nil {
            throw FlagError("--\(flag): \(file) cannot be read")
        }
    }
}
