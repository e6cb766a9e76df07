import Testing

@testable import NodeDaemon

@Suite struct FlagsTests {
    private func options(_ words: String...) throws -> DaemonOptions {
        try DaemonOptions(words) { ["NODE_NAME": "node-1"][$0] }
    }

    @Test func defaultsAreThoseOfUpstream() throws {
        let options = try options()
        #expect(options.metricsAddress == ":8080")
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
