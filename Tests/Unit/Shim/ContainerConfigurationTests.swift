import Linux
import Testing

@testable import Shim

@Suite struct ContainerConfigurationTests {
    private func read(
        _ annotations: [String: String], container: String? = "web", shortest: UInt64 = 0, first: UInt64 = 0
    ) throws(AnnotationError) -> ContainerConfiguration {
        var full: [String: String] = [:]
        for (name, value) in annotations { full[ContainerConfiguration.prefix + name] = value }
        var node = NodePolicy()
        node.shortestIdle = shortest
        node.shortestFirstIdle = first
        return try ContainerConfiguration(annotations: full, container: container, on: node)
    }

    /// A pod that sleeps all the time costs the node more than itself.
    @Test func theNodeSaysHowShortTheIdleTimeMayBe() throws {
        let second: UInt64 = 1_000_000_000
        #expect(NodePolicy().shortestIdle == second)
        for text in ["1ms", "999ms", "0.9s", "1ns"] {
            #expect {
                try read(["scaledown-duration": text], shortest: second)
            } throws: { error in
                "\(error)".contains("is \"\(text)\": less than the 1000ms that this node allows")
            }
        }
        #expect(try read(["scaledown-duration": "1s"], shortest: second).scaleDownAfter == second)
        #expect(try read(["scaledown-duration": "0"], shortest: second).scaleDownAfter == 0)
        #expect(try read([:], shortest: 300 * second).scaleDownAfter == 300 * second)
    }

    @Test func theFirstSleepHasATimeOfItsOwn() throws {
        let (second, name) = (UInt64(1_000_000_000), "first-scaledown-duration")
        #expect(try read(["scaledown-duration": "5s"]).firstScaleDownAfter == 5 * second)
        #expect(try read(["scaledown-duration": "5s", name: "0"]).firstScaleDownAfter == 5 * second)
        #expect(try read(["scaledown-duration": "5s", name: "2m"]).firstScaleDownAfter == 120 * second)
        #expect(try read(["scaledown-duration": "5s", name: "1s"]).firstScaleDownAfter == second)
        #expect(try read(["scaledown-duration": "5s"], first: 60 * second).firstScaleDownAfter == 60 * second)
        #expect {
            try read([name: "30s"], first: 60 * second)
        } throws: { error in
            "\(error)".contains("less than the 60000ms that this node allows (shortest-first-idle in")
        }
    }

    @Test func defaultsAreUpstreams() throws {
        let configuration = try read([:])
        #expect(configuration.scaleDownAfter == 60_000_000_000)
        #expect(configuration.ports == nil)
        #expect(configuration.isSelected)
    }

    @Test(
        arguments: [
            ("10s", 10_000_000_000), ("0", 0), ("0s", 0), ("1h30m", 5_400_000_000_000), ("1.5m", 90_000_000_000),
            (".5s", 500_000_000), ("5.s", 5_000_000_000), ("300ms", 300_000_000), ("+2s", 2_000_000_000),
        ] as [(String, UInt64)])
    func durationsAreGos(text: String, nanoseconds: UInt64) throws {
        #expect(try read(["scaledown-duration": text]).scaleDownAfter == nanoseconds)
    }

    @Test(arguments: ["soon", "", "10", "-5s", "s", "1x", "1..5s", "99999999999h"])
    func whatIsNoDurationIsNamed(text: String) {
        #expect {
            try read(["scaledown-duration": text])
        } throws: { error in
            "\(error)".contains("zeropod.ctrox.dev/scaledown-duration is \"\(text)\"")
        }
    }

    @Test func portsMapIsReadForTheContainerThatAsks() throws {
        let map = ["ports-map": "web=80,81;sidecar = 8080"]
        #expect(try read(map).ports == [80, 81])
        #expect(try read(map, container: "sidecar").ports == [8080])
        #expect(try read(map, container: "other").ports == nil)
    }

    @Test func portsMapMayNameUDPPorts() throws {
        let map = ["ports-map": "web=53/udp, 53,853/tcp;dns=53/udp"]
        #expect(try read(map).ports == [53, 853])
        #expect(try read(map).datagramPorts == [53])
        // TCP ports are found, as without the annotation.
        #expect(try read(map, container: "dns").ports == nil)
        #expect(try read(map, container: "dns").datagramPorts == [53])
        #expect(try read(map, container: "other").datagramPorts == [])
        #expect(throws: AnnotationError.self) { try read(["passive-ports": "web=53/udp"]) }
    }

    @Test(arguments: [
        "web=53/", "web=/udp", "web=53/sctp", "web=53/udp/udp", "web=0/udp", "web=53/UDP", "web=70000", "web=0", "web=",
        "web", "other=1;web=x", "web=80,,81",
    ])
    func aBadPortsMapIsNamed(text: String) {
        #expect {
            try read(["ports-map": text])
        } throws: { error in
            "\(error)".contains("zeropod.ctrox.dev/ports-map is \"\(text)\"")
        }
    }

    @Test func aPortsMapMayNotNameAContainerThatIsNotSelected() {
        #expect(throws: AnnotationError.self) {
            try read(["container-names": "web", "ports-map": "wbe=80"])
        }
    }

    @Test func onlyChosenContainersAreSelected() throws {
        #expect(try read(["container-names": "web, other"]).isSelected)
        #expect(try !read(["container-names": "other"]).isSelected)
    }

    @Test func ignoredPeersAreRangesOfAddresses() throws {
        #expect(try read([:]).ignoredPeers == [])
        #expect(
            try read(["ignore-peers": "10.0.0.0/8, fd00::7,10.0.0.0/8"]).ignoredPeers
                == [AddressRange("10.0.0.0/8"), AddressRange("fd00::7")])
        let many = (0...255).map { "10.0.0.\($0)" }.joined(separator: ",")
        #expect(try read(["ignore-peers": many]).ignoredPeers.count == 256)
        for (text, complaint) in [
            ("", "it names nobody"), ("10.0.0.1,", "it names nobody"), ("prometheus", "prometheus is neither"),
            ("10.0.0.1/8", "10.0.0.0/8 is meant"), ("\(many),fd00::1", "more than 256 ranges"),
        ] {
            #expect {
                try read(["ignore-peers": text])
            } throws: { error in
                "\(error)".hasPrefix("annotation zeropod.ctrox.dev/ignore-peers is \"\(text)\": ")
                    && "\(error)".contains(complaint)
            }
        }
    }

    @Test func flagsAreGos() throws {
        #expect(try read(["disable-checkpointing": "T"]).checkpointingDisabled)
        #expect(throws: AnnotationError.self) { try read(["pre-dump": "yes"]) }
    }

    @Test func whatKeepsAwakeCanBeChosen() throws {
        #expect(try read([:]).activity == .packets)
        #expect(try read(["activity": "packets"]).activity == .packets)
        #expect(try read(["activity": " connections"]).activity == .connections)
        #expect {
            try read(["activity": "cpu"])
        } throws: { error in
            "\(error)".contains("zeropod.ctrox.dev/activity is \"cpu\": cpu is not one of packets, connections")
        }
    }

    @Test func whatIsKeptReadyForAWakeCanBeChosen() throws {
        #expect(try read([:]).wake.prestart == .place)
        #expect(try read(["wake": "on-demand"]).wake.prestart == nil)
        #expect(try read(["wake": "prestarted"]).wake.prestart == .program)
        #expect(try read([:]).wake.pages == .bySize)
        #expect(try read(["wake": "lazy"]).wake.pages == .lazy)
        #expect(try read(["wake": "eager , on-demand"]).wake.pages == .eager)
        #expect(try read(["wake": "eager , on-demand"]).wake.prestart == nil)
        #expect {
            try read(["wake": "soon"])
        } throws: { error in
            "\(error)".contains(
                "zeropod.ctrox.dev/wake is \"soon\": soon is not one of on-demand, standby, prestarted, lazy, eager")
        }
    }
}
