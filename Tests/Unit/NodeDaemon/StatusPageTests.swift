import StatusAPI
import Testing

@testable import NodeDaemon

@Suite struct StatusPageTests {
    private func report(_ change: (inout ContainerReport) -> Void = { _ in }) -> ContainerReport {
        ContainerReport {
            $0.id = "0123"
            $0.podNamespace = "shop"
            $0.podName = "web-1"
            $0.containerName = "nginx"
            $0.state = .asleep
            $0.since = .init(seconds: 1000, nanoseconds: 0)
            $0.imageBytes = 3 << 20
            $0.memoryGivenBack = 17 << 20
            change(&$0)
        }
    }

    private func wakes(_ cumulative: [UInt64], of count: UInt64) -> Durations {
        Durations {
            ($0.count, $0.cumulative, $0.limitMilliseconds) = (count, cumulative, [5, 25, 2500])
            $0.lastNanoseconds = 21_000_000
        }
    }

    private func page(_ reports: [ContainerReport], node: String = "worker", notes: [String] = []) -> String {
        StatusPage(node: node, reports, notes: notes, now: 1090).html
    }

    @Test func aSleeperIsShownWithWhatItSaves() {
        let page = page([report { $0.wakes = wakes([1, 3, 3], of: 4) }])
        #expect(page.contains("<b>1 of 1</b>containers asleep"))
        #expect(page.contains("<b>17M</b>of memory free by that"))
        #expect(page.contains("<b>4</b>wakes, half of them within 25 ms"))
        #expect(page.contains("<b>web-1</b><span class=soft>shop / nginx</span>"))
        #expect(page.contains("<span class=\"state asleep\">asleep</span> <span class=soft>90s</span>"))
        #expect(page.contains("aria-label=\"wakes: 1 within 5 ms, 2 within 25 ms, 1 longer\""))
        #expect(
            page.contains("<td class=number data-head=\"freed\">17M</td><td class=number data-head=\"on disk\">3M</td>")
        )
    }

    @Test func whyOneIsAwakeIsSaid() {
        let awake = page([report { ($0.state, $0.reasons) = (.running, ["no port found"]) }])
        #expect(awake.contains("<td class=why>no port found</td>"))
        #expect(page([report { $0.state = .running }]).contains("it sleeps once it is idle for long enough"))
        // What CRIU's log names is not for everybody who reaches the page.
        let text = "criu dump failed: No; its log ends:\nError: /srv/secret"
        let failed = page([report { ($0.state, $0.reasons, $0.lastError) = (.running, [text], text) }])
        #expect(failed.contains("<td class=why>criu dump failed: No<br>"))
        #expect(failed.contains("it has failed to sleep or to wake"))
        #expect(!failed.contains("secret"))
    }

    @Test func whyOneIsFrozenIsSaid() {
        func page(_ reasons: [String]) -> String {
            self.page([report { ($0.state, $0.reasons) = (.frozen, reasons) }])
        }
        #expect(
            page([]).contains("<span class=soft>zeropod.ctrox.dev/sleep is freeze; it has not been woken yet</span>"))
        #expect(page(["criu"]).contains("<td class=why>criu; it has not been woken yet</td>"))
        #expect(page([]).contains("<b>1 of 1</b>containers asleep"))
    }

    /// Among hundreds that sleep.
    @Test func thoseThatAreAwakeComeFirst() {
        let states: [(String, ContainerState)] = [
            ("a", .asleep), ("b", .running), ("c", .frozen), ("d", .asleep), ("e", .restoring),
        ]
        let page = page(states.map { name, state in report { ($0.podName, $0.state) = (name, state) } })
        let order = page.split(separator: "<td><b>").dropFirst().map { String($0.prefix(1)) }
        #expect(order == ["b", "e", "c", "a", "d"])
    }

    @Test func theVersionIsSaid() { #expect(page([]).contains("zeropod \(Version.text).")) }

    /// Names and reasons are somebody else's.
    @Test func nothingFromOutsideIsMarkup() {
        let evil = "<script>alert('1')</script>"
        let page = page(
            [report { ($0.state, $0.podName, $0.reasons, $0.lastError) = (.running, evil, [evil], evil) }], node: evil,
            notes: [evil])
        #expect(!page.contains("<script"))
        #expect(page.split(separator: "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;").count == 6)
    }

    @Test func wakesOfAllContainersAreSummed() throws {
        let sum = try #require(WakePlot(sumOf: [wakes([1, 1, 1], of: 1), wakes([0, 0, 0], of: 2)]))
        #expect(sum.count == 3)
        #expect(sum.median == "longer")
        #expect(WakePlot(sumOf: []) == nil)
    }
}
