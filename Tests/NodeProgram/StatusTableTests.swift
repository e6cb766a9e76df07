import StatusAPI
import Testing

@testable import Node

@Suite struct StatusTableTests {
    private let sleeping = FoundContainer(
        socket: "/run/zeropod/s/a.sock",
        report: ContainerReport {
            $0.id = "0123456789abcdef"
            $0.podNamespace = "shop"
            $0.podName = "web-1"
            $0.containerName = "nginx"
            $0.state = .asleep
            $0.since = .init(seconds: 1000, nanoseconds: 0)
            $0.imageBytes = 3 << 20
            $0.memoryGivenBack = 17 << 20
            $0.restores = Durations {
                $0.count = 2
                $0.lastNanoseconds = 12_345_678
            }
        })
    private let busy = FoundContainer(
        socket: "/run/zeropod/s/b.sock",
        report: ContainerReport {
            $0.id = "fedcba9876543210"
            $0.state = .running
            $0.reasons = ["an exec or another request is using it", "it is paused"]
        })

    @Test func tableSaysWhatSleepsAndWhy() {
        let lines = StatusTable([sleeping, busy], now: 1090).text.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("CONTAINER"))
        let words = lines[1].split(separator: " ").map(String.init)
        #expect(words == ["shop/web-1/nginx", "asleep", "90s", "0x", "12ms", "17M", "3M"])
        #expect(lines[2].hasPrefix("fedcba9876543210  running"))
        #expect(lines[2].hasSuffix("an exec or another request is using it"))
    }

    @Test func containersAreMeantByIDItsBeginningOrTitle() {
        #expect(sleeping.isMeant(by: "0123"))
        #expect(sleeping.isMeant(by: "shop/web-1/nginx"))
        #expect(!sleeping.isMeant(by: "shop/web-1"))
        #expect(!sleeping.isMeant(by: ""))
    }

    @Test(arguments: [
        (["sleep"], "zeropod sleep: which container?"), (["doze"], "zeropod: there is no verb 'doze'"),
        (["status", "--yaml"], "zeropod status: '--yaml' is one word too many"),
        (["wake", "a", "b"], "zeropod wake: 'b' is one word too many"),
    ]) func mistakesAreNamed(_ arguments: [String], _ complaint: String) throws {
        let error = #expect(throws: UsageError.self) { try Action(arguments) }
        #expect(error?.description == complaint)
    }
}
