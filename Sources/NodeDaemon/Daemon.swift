import Glibc
import Linux
import StatusAPI

/// What runs once on every node beside the shims, and looks at them. Containers sleep and wake without it.
///
/// Everything runs on one thread: the shims' answers, requests of people and of Prometheus, and the API server's.
package final class Daemon {
    private let options: DaemonOptions
    private let loop: EventLoop
    private let log: Log
    private let shims: ShimSubscriptions
    private var servers: [HTTPServer] = []
    private var signals: Signals?
    private var cluster: Cluster?
    private var authentication: Authentication?
    private var isEnding = false

    package init(_ options: DaemonOptions) throws {
        self.options = options
        log = Log(to: try .standardError(), debugging: options.debugging)
        loop = try EventLoop()
        shims = try ShimSubscriptions(options.shims, loop: loop, log: log)
        do throws(SystemError) {
            for address in options.metricsAddresses {
                let listener = try ServerSocket.listen(address)
                servers.append(try HTTPServer(listener, loop: loop) { [unowned self] in answer($0, $1) })
            }
        } catch {
            throw FlagError("--metrics-addr is \"\(options.metricsAddress)\": \(error)")
        }
    }

    /// Runs until it is told to end (SIGTERM, SIGINT).
    package func run() throws {
        try joinCluster()
        for flag in options.ignored { log.warning("a flag has no effect", ["flag": flag]) }
        signals = try Signals([SIGTERM, SIGINT], loop: loop) { [unowned self] signal in
            log.info("ends", ["signal": "\(signal)"])
            guard let cluster, !isEnding else { return loop.stop() }
            isEnding = true
            cluster.leave { [unowned self] in loop.stop() }
        }
        log.info("runs", ["metrics": options.metricsAddress, "node": options.nodeName, "shims": "\(shims.count)"])
        try loop.run()
    }

    private func joinCluster() throws {
        guard options.needsCluster else { return }
        guard let transfers = Transfers(loop: loop) else { throw SystemError("curl_multi_init", code: ENOMEM) }
        let identity = APIServer.Identity(
            url: options.server, tokenFile: options.tokenFile, authority: options.authority,
            clientCertificate: options.clientCertificate, clientKey: options.clientKey)
        let api = APIServer(identity, transfers)
        if options.authenticates { authentication = Authentication(api) }
        guard options.writesToCluster else { return }
        let cluster = Cluster(options, api, shims, loop: loop, log: log)
        self.cluster = cluster
        shims.changed = { [unowned cluster] in cluster.shimsChanged() }
        cluster.start()
        cluster.shimsChanged()
    }

    // MARK: Requests

    private func answer(_ request: HTTPServer.Request, _ then: @escaping (HTTPServer.Answer) -> Void) {
        let own = HostNames([options.nodeName] + options.hosts, addresses: (try? OwnAddresses.all()) ?? [])
        guard own.contain(request.host) else {
            return then(HTTPServer.Answer(status: 421, body: "this is another host; --host names more of its own\n"))
        }
        switch request.path {
        case "/healthz": return then(HTTPServer.Answer(body: "ok\n"))
        case "/readyz":
            let lacks = whatIsMissing
            return then(HTTPServer.Answer(status: lacks == nil ? 200 : 503, body: "\(lacks ?? "ok")\n"))
        case "/metrics", "/": break
        case "/cluster" where cluster != nil: break
        default:
            let paths = (cluster == nil ? "" : "/cluster, ") + "/metrics, /healthz and /readyz"
            return then(HTTPServer.Answer(status: 404, body: "there are /, \(paths)\n"))
        }
        guard options.authenticates else { return show(request, then) }
        guard let authentication else { return then(HTTPServer.Answer(status: 503, body: "not begun yet\n")) }
        authentication.judge(request.authorization, path: request.path) { [weak self] verdict in
            switch verdict {
            case .allowed: self?.show(request, then)
            case .unknown:
                let way = (
                    "WWW-Authenticate", "Basic realm=\"a token of the cluster as the password\", charset=\"UTF-8\""
                )
                then(HTTPServer.Answer(status: 401, body: "a token of the cluster is needed\n", field: way))
            case .forbidden: then(HTTPServer.Answer(status: 403, body: "the token's user may not get this path\n"))
            case .unavailable(let reason): then(HTTPServer.Answer(status: 503, body: "\(reason)\n"))
            }
        }
    }

    private func show(_ request: HTTPServer.Request, _ then: @escaping (HTTPServer.Answer) -> Void) {
        let html = { then(HTTPServer.Answer(type: "text/html; charset=utf-8", body: $0)) }
        if request.path == "/cluster", let cluster {
            let filter = ClusterPage.Filter(request.query)
            return cluster.survey.ask { html(ClusterPage($0, filter, now: WallClockTime.now.seconds).html) }
        }
        shims.refresh { [self] in
            if request.path != "/metrics" { return html(page) }
            then(HTTPServer.Answer(type: "text/plain; version=0.0.4; charset=utf-8", body: metrics))
        }
    }

    /// Why the daemon does not do yet what it is there for; nil if it does.
    private var whatIsMissing: String? {
        if !shims.areKnown { return "not all shims have been asked yet" }
        guard let cluster, !cluster.isReady else { return nil }
        return cluster.api.trouble.isEmpty ? "the pods have not been listed yet" : cluster.api.trouble
    }

    private var metrics: String {
        var build = MetricFamily("zeropod_build_info", .gauge, "1, with the version of this daemon.")
        build.add(1, ["version": Version.text])
        var found = MetricFamily("zeropod_shims", .gauge, "Shims on this node.")
        found.add(shims.count)
        var silent = MetricFamily("zeropod_shims_silent", .gauge, "Shims that cannot be asked now.")
        silent.add(shims.silent)
        var requests = MetricFamily(
            "zeropod_api_requests_total", .counter, "Requests to the API server by HTTP status; 0: without an answer.")
        for (status, count) in cluster?.api.counts.sorted(by: { $0.key < $1.key }) ?? [] {
            requests.add(count, ["code": "\(status)"])
        }
        var pending = MetricFamily(
            "zeropod_resize_pending", .gauge, "1 for each pod whose requests the kubelet has not put into effect.")
        for (pod, resize) in cluster?.pendingResizes ?? [] {
            let names = pod.split(separator: "/").map(String.init)
            pending.add(1, ["pod": names.last ?? "", "namespace": names.first ?? "", "reason": resize.reason])
        }
        return ContainerMetrics(shims.containers).text + pending.text + build.text + found.text + silent.text
            + requests.text
    }

    private var page: String {
        let silent = shims.silent
        let own = silent == 0 ? [] : ["\(silent) of \(shims.count) shims cannot be asked now."]
        let notes = own + (cluster?.notes ?? [])
        return StatusPage(
            node: options.nodeName, shims.containers, notes: notes, isOfCluster: cluster != nil,
            now: WallClockTime.now.seconds
        ).html
    }
}
