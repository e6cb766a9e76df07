import Testing

@testable import NodeDaemon

@Suite struct FlagsTests {
    private func options(_ words: String...) throws -> DaemonOptions {
        try DaemonOptions(words) { ["NODE_NAME": "node-1"][$0] }
    }

    /// Those of upstream, but that nobody on the network is served who was not meant.
    @Test func defaultsAreTakenWhereNothingIsSaid() throws {
        let options = try options()
        #expect(options.metricsAddresses == ["127.0.0.1:8080"])
        #expect(!options.authenticates)
        #expect(options.nodeName == "node-1")
        #expect(!options.statusLabels && !options.statusEvents && !options.inPlaceScaling)
    }

    @Test(arguments: [
        ["-metrics-addr=:9090", "-debug"], ["--metrics-addr", ":9090", "--debug=true"],
        ["--debug", "--metrics-addr=:9090"],
    ]) func goAndOthersWriteThem(_ words: [String]) throws {
        let options = try DaemonOptions(words) { _ in nil }
        #expect(options.metricsAddress == ":9090")
        #expect(options.debugging)
    }

    @Test func flagsOfUpstreamWithoutMeaningAreTaken() throws {
        let options = try options(
            "-node-server-addr=:8090", "-tracker-ignore-localhost=false", "-max-concurrent-reconciles", "5")
        #expect(options.ignored == ["node-server-addr", "tracker-ignore-localhost", "max-concurrent-reconciles"])
    }

    @Test(arguments: [
        (["--colour"], "zeropod node: there is no flag --colour: 'zeropod node --help' lists them"),
        (["metrics"], "zeropod node: 'metrics' is one word too many"),
        (["--ca"], "zeropod node: --ca needs a value"),
        (["--debug=maybe"], "zeropod node: --debug is \"maybe\": neither true nor false"),
        (["--metrics-addr", "8080"], "zeropod node: --metrics-addr is \"8080\": not an address such as :8080"),
        (["--metrics-addr=host:http"], "zeropod node: --metrics-addr is \"host:http\": not an address such as :8080"),
    ]) func mistakesAreNamed(_ words: [String], _ problem: String) {
        #expect { try DaemonOptions(words) { _ in nil } } throws: { "\($0)" == problem }
    }
}

@Suite struct ClusterFlagsTests {
    private let inPod = ["NODE_NAME": "n", "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]

    @Test(
        arguments: [
            (["--status-labels"], [:], "--node-name is needed, or NODE_NAME in the environment"),
            (
                ["--status-events", "--node-name=n"], [:],
                "labels, events, scaling and --authenticate need an API server: this is no pod (KUBERNETES_SERVICE_HOST is not set), and there"
                    + " is no --server"
            ),
            (
                ["--in-place-scaling", "--node-name=n", "--server=10.0.0.1"], [:],
                "--server is \"10.0.0.1\": not a URL such as https://10.96.0.1:443"
            ),
            (
                ["--in-place-scaling", "--node-name=n", "--server=https://10.0.0.1", "--ca=/nowhere"], [:],
                "--ca: /nowhere cannot be read"
            ),
            (
                ["--client-key=/dev/null", "--node-name=n", "--status-labels"], [:],
                "--client-certificate and --client-key go together"
            ),
            (["--scaled-down-cpu=0"], [:], "--scaled-down-cpu is \"0\": not a quantity above zero, such as 1m or 1Ki"),
            (
                ["--scaled-down-memory=much"], [:],
                "--scaled-down-memory is \"much\": not a quantity above zero, such as 1m or 1Ki"
            ),
        ] as [([String], [String: String], String)])
    func mistakesAreNamed(_ words: [String], _ environment: [String: String], _ problem: String) {
        #expect { try DaemonOptions(words) { environment[$0] } } throws: { "\($0)" == "zeropod node: \(problem)" }
    }

    @Test func inAPodTheServerIsFound() {
        #expect { try DaemonOptions(["--status-labels"]) { inPod[$0] } } throws: {
            "\($0)" == "zeropod node: --token-file: /var/run/secrets/kubernetes.io/serviceaccount/token cannot be read"
        }
    }

    @Test func theServerIsTakenAsItIs() throws {
        let options = try DaemonOptions(["--status-labels", "--server=https://10.0.0.1:6443/"]) { inPod[$0] }
        #expect(options.server == "https://10.0.0.1:6443")
        #expect(options.tokenFile.isEmpty)
    }
}
