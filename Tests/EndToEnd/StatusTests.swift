import Commands
import TestNode
import Testing

extension TestNode {
    @discardableResult
    fileprivate func zeropod(_ arguments: String..., expecting: Int32? = 0) async throws -> Output {
        try await shell((["/opt/zeropod/bin/zeropod"] + arguments).joined(separator: " "), expecting: expecting)
    }
}

extension SleepingPods {
    /// `zeropod status`, `sleep` and `wake` on the node.
    @Suite struct StatusTests {
        @Test(arguments: Containerd.usual) func statusFollowsTheContainer(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("told", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                try await eventually("the port is found") { try await server.sleepReport().ports == [8080] }
                var now = try await server.sleepReport()
                #expect(now.state == "running")
                #expect(now.pod == pod.config.name)
                #expect(now.container == "server")
                #expect(now.reasons == [])
                #expect(now.imageBytes == 0)

                // By a part of its id, as a person would.
                try await node.zeropod("sleep", String(server.id.prefix(20)))
                now = try await server.sleepReport()
                #expect(now.state == "asleep")
                #expect(now.imageBytes > 1 << 20)
                #expect(now.memoryGivenBack > 1 << 20)
                #expect(now.checkpoints.count == 1 && now.checkpoints.sum > 0)

                try await node.zeropod("wake", "default/\(pod.config.name)/server")
                now = try await server.sleepReport()
                #expect(now.state == "running")
                #expect(now.restores.count == 1)
                #expect(now.wakes.count == 0, "nobody connected")

                try await node.zeropod("sleep", server.id)
                _ = try await node.get(pod.ip4, port: 8080)
                try await eventually("the wake is told") { try await server.sleepReport().wakes.count == 1 }
                let table = try await node.zeropod("status").text
                #expect(table.contains("default/\(pod.config.name)/server"))
            }
        }

        /// Status, log and a container's own words of who woke it: by a new connection, by data on one that was open, by a
        /// connection that is relayed, by an exec, and by a person.
        @Test(arguments: ["checkpoint,freeze", "freeze"]) func whoWokeItIsTold(_ sleep: String) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("woken", after: "1h", ["sleep": sleep]) { pod in
                let server = try await pod.start("server", image: "python")
                try await eventually("the port is found") { try await server.sleepReport().ports == [8080] }
                func sleepAndWake(_ wake: () async throws -> Void) async throws -> SleepReport {
                    try await eventually("it can sleep") {
                        try await node.zeropod("sleep", server.id, expecting: nil).status == 0
                    }
                    let before = try await server.sleepReport().wakesByWay.values.reduce(0, +)
                    try await wake()
                    return try await eventually("the wake is counted") {
                        let report = try await server.sleepReport()
                        return report.wakesByWay.values.reduce(0, +) > before ? report : nil
                    }
                }
                let connected = try await sleepAndWake { _ = try await node.get(pod.ip4, port: 8080, from: .outside) }
                #expect(connected.wakesByWay == ["connection": 1])
                #expect(connected.lastWake?.peer?.hasPrefix("10.99.0.2:") == true && connected.lastWake?.port == 8080)
                #expect(connected.lastWake?.direction == "in")
                #expect(connected.why.contains("at port 8080"), "\(connected.why)")

                let executed = try await sleepAndWake { _ = try await server.exec("true") }
                #expect(executed.wakesByWay == ["connection": 1, "exec": 1])
                let ordered = try await sleepAndWake { try await node.zeropod("wake", server.id) }
                #expect(ordered.wakesByWay["command"] == 1)
                #expect(try await node.zeropod("wake", server.id).text.hasSuffix("server was awake already\n"))
                try await node.zeropod("sleep", server.id)
                let asleep = try await server.sleepReport()
                #expect(asleep.why.contains("by a person (zeropod wake)"), "\(asleep.why)")
            }
        }

        /// Which way first connections go, before the first sleep and after it.
        @Test func theHandoverIsTold() async throws {
            let node = try await node(.current)
            let relayed = SleepReport.Handover(relay: [8080], reason: "the annotation handover says so")
            for (annotation, expected) in [
                ("accept-queue", SleepReport.Handover(acceptQueue: [8080])), ("relay", relayed),
            ] {
                try await node.withSleepyPod("handed", after: "1h", ["handover": annotation]) { pod in
                    let server = try await pod.start("server", image: "python")
                    try await eventually("the port is found") { try await server.sleepReport().ports == [8080] }
                    #expect(try await server.sleepReport().handover == expected)
                    try await node.zeropod("sleep", server.id)
                    #expect(try await server.sleepReport().handover == expected)
                }
            }
            // Nobody listens on the second port any more, so that no socket could be kept.
            try await node.withSleepyPod("mixed", after: "1h", ["ports-map": "server=8080,9090"]) { pod in
                let program = """
                    import os, socket, time
                    second = socket.create_server(("", 9090))
                    first = socket.create_server(("", 8080))
                    while not os.path.exists("/tmp/go"):
                        time.sleep(0.01)
                    second.close()
                    print("listening", flush=True)
                    while True:
                        first.accept()
                    """
                let server = try await pod.start("server", image: "python", command: ["python3", "-c", program])
                try await server.awaitShimLog("watching ports [8080, 9090]")
                try await node.shell("touch \(server.files)/tmp/go")
                try await server.awaitLog("listening")
                try await node.zeropod("sleep", server.id)
                let reason = "no process of the container listens there"
                let expected = SleepReport.Handover(acceptQueue: [8080], relay: [9090], reason: reason)
                #expect(try await server.sleepReport().handover == expected)
            }
        }

        @Test func whatMustStayAwakeIsNotPutToSleep() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("kept", after: "0") { pod in
                let server = try await pod.start("server", image: "python")
                let refusal = try await node.zeropod("sleep", server.id, expecting: 1)
                #expect(refusal.errorText.contains("scaledown-duration is 0"))
                #expect(try await server.sleepReport().reasons == ["zeropod.ctrox.dev/scaledown-duration is 0"])
                let nobody = try await node.zeropod("wake", "nobody", expecting: 1)
                #expect(nobody.errorText.contains("no container 'nobody'"))
            }
        }
    }
}
