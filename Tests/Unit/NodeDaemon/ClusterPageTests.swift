import Glibc
import JSON
import Linux
import StatusAPI
import Testing

@testable import NodeDaemon

/// The page of all nodes, and where it has its rows from.
@Suite struct ClusterPageTests {
    /// A pod as the API server lists it, of which the daemon of its node has written label and annotation.
    static func pod(
        _ name: String, _ label: String, node: String = "worker-1", since: Int64 = 1000,
        why: String = "nobody needs it",
        freed: UInt64 = 17 << 20
    ) -> JSON {
        let annotation: JSON = [
            "node": .string(node), "since": .integer(since), "why": .string(why), "memoryFreed": .integer(freed),
            "wakes": 3,
        ]
        return [
            "metadata": [
                "name": .string(name), "namespace": "shop",
                "labels": ["app": "web", "status.zeropod.ctrox.dev/nginx": .string(label)],
                "annotations": ["status.zeropod.ctrox.dev/nginx": .string(annotation.text)],
            ]
        ]
    }

    private func page(_ pods: [JSON], _ filter: ClusterPage.Filter = .init(), trouble: String = "") -> String {
        let containers = pods.flatMap(ClusterContainer.all(in:))
        return ClusterPage(.init(containers: containers, trouble: trouble), filter, now: 1090).html
    }

    private func names(in page: String) -> [String] {
        page.split(separator: "<td><b>").dropFirst().map { String($0.prefix { $0 != "<" }) }
    }

    @Test func thoseThatAreAwakeComeFirst() {
        let page = page([
            Self.pod("b", "SCALED_DOWN"), Self.pod("c", "RUNNING", why: "it is not ready", freed: 0),
            Self.pod("a", "SCALED_DOWN", node: "worker-2"), Self.pod("d", "FROZEN"),
        ])
        #expect(names(in: page) == ["c", "d", "a", "b"])
        for text in [
            "<h2>Awake: 1</h2>", "<h2>Frozen: 1</h2>", "<h2>Asleep: 2</h2>", "<b>1</b>container awake",
            "<b>3 of 4</b>containers asleep", "<b>51M</b>of memory free by that", "<b>2</b>nodes",
            "<b>c</b><span class=soft>shop / nginx on worker-1</span></td><td><span class=soft>90s</span></td>"
                + "<td class=why>it is not ready</td><td class=number data-head=\"wakes\">3</td>",
        ] { #expect(page.contains(text), "\(text)") }
    }

    @Test(arguments: [
        (["text": "WEB-1"], ["web-1"]), (["text": "worker-2"], ["db"]), (["text": "not ready"], ["web-1"]),
        (["text": "shop/db/nginx"], ["db"]), (["state": "asleep"], ["db"]),
        (["state": "", "text": ""], ["web-1", "db"]),
        (["state": "awake", "text": "db"], []), (["state": "what"], ["web-1", "db"]),
    ]) func aFilterTakesSome(_ query: [String: String], _ expected: [String]) {
        let pods = [
            Self.pod("db", "SCALED_DOWN", node: "worker-2"), Self.pod("web-1", "RUNNING", why: "it is not ready"),
        ]
        let page = page(pods, ClusterPage.Filter(query))
        #expect(names(in: page) == expected)
        #expect(expected.isEmpty == page.contains("None of 2 containers is as wanted"))
        // What was asked for stands in the form again.
        #expect(page.contains("type=search value=\"\(query["text"] ?? "")\""))
    }

    /// Whoever may label and annotate a pod can write anything.
    @Test func whatTenantsWriteDoesNoHarm() {
        let evil = "<script>alert('1')</script>"
        func annotated(_ text: String) -> JSON {
            var pod = Self.pod("p", "SCALED_DOWN")
            pod["metadata"]?["annotations"] = ["status.zeropod.ctrox.dev/nginx": .string(text)]
            return pod
        }
        let most = #"{"since":-9223372036854775808,"memoryFreed":18446744073709551615,"wakes":-1}"#
        let page = page(
            [
                Self.pod(evil, "SCALED_DOWN", node: evil, why: evil), annotated(most), annotated(most),
                annotated("[]"), annotated("{"), annotated(#"{"why":7}"#), Self.pod("q", "OTHER"), ["metadata": "x"],
            ], .init(text: ""), trouble: evil)
        #expect(!page.contains("<script"))
        #expect(page.split(separator: "&lt;script&gt;").count == 5)
        #expect(names(in: page).count == 6 && page.contains("the daemon of its node does not say"))
        #expect(StatusAnnotation(parsing: #"{"why":"\#(String(repeating: "ü", count: 9000))"}"#)?.why.utf8.count == 503)
    }

    @Test func moreThanAnybodyReadsIsCounted() {
        let page = page((0..<1203).map { Self.pod("p\($0)", $0 == 1200 ? "RUNNING" : "SCALED_DOWN") })
        #expect(names(in: page).count == 1000 && names(in: page).first == "p1200")
        #expect(page.contains("<p>And 203 more: say above which you want.</p>"))
    }
}
