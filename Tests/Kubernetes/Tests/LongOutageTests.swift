import Commands
import Foundation
import TestCluster
import TestNode
import Testing

private let isWanted = ProcessInfo.processInfo.environment["ZEROPOD_LONG_OUTAGE"] != nil

/// An API server that is away for long. A cluster of its own: controllers and kube-proxy take their time to come back.
@Suite(
    .enabled(if: Kubernetes.programs != nil, "KUBE_BIN names no Kubernetes"),
    .enabled(if: isWanted, "by turns in CI, and by 'make test-long'"), .cluster("outage"))
struct LongOutageTests {
    /// For longer than the daemon waits between two attempts, and what its watch was at is compacted away meanwhile.
    @Test func whatHasHappenedMeanwhileIsTold() async throws {
        try await cluster().withSleepyWeb("long") { cluster in
            let pod = try await cluster.pod("long")
            let address = try await cluster.value(".spec.clusterIP", of: "service/long")
            let program = "bash /opt/cluster/program apiserver"
            // At once: told to end, it waits for those who watch, for a minute.
            try await cluster.node.shell("\(program) end KILL")
            let start = ContinuousClock.now
            do {
                for _ in 1...3 {
                    try await cluster.expectAnswer(at: address)
                    try await cluster.awaitSleep("long")
                }
                try await cluster.compactAway()
                // This is the outage itself.
                try await Task.sleep(until: start + .seconds(65))
            } catch {
                try await cluster.node.shell("\(program) start")
                throw error
            }
            try await cluster.node.shell("\(program) start")
            try await eventually("the API server is back", within: .seconds(180)) {
                try await cluster.kubectl("get", "--raw", "/readyz", expecting: nil).status == 0
            }
            try await eventually("the daemon lists the pods again", within: .seconds(120)) {
                try await cluster.kubectl("logs", "-n", Cluster.system, "daemonset/zeropod-node").text
                    .contains("the watch of pods does not fit to what the API server has")
            }
            try await cluster.awaitEvents(of: pod, sleeps: 4)
            try await cluster.awaitLabel("SCALED_DOWN", of: "long")
            if Kubernetes.resizes { try await cluster.awaitRequests("1m 1Ki", of: "long") }
            // The node may have been taken for dead for a moment, and its pods out of their services.
            try await eventually("its service answers", within: .seconds(180)) {
                try await cluster.node.get(address, port: 80).code == 200
            }
            if Kubernetes.resizes { try await cluster.awaitRequests("50m 32Mi", of: "long", keptAwakeBy: address) }
            try await cluster.expectRestarts("0", of: "long")
        }
    }
}

extension Cluster {
    /// Lets etcd forget every version of before, by its JSON gateway.
    fileprivate func compactAway() async throws {
        try await node.shell(
            """
            set -e
            ask() { curl -sS --fail "http://127.0.0.1:2379/v3/kv/$1" -d "$2"; }
            revision=$(ask put '{"key": "dGVzdA==", "value": "dGVzdA=="}' | grep -o '"revision":"[0-9]*"' | grep -o '[0-9]*')
            ask compaction '{"revision": "'$revision'", "physical": true}'
            """)
    }
}
