import Commands
import Foundation
import JSON
import Testing

@testable import NodeDaemon

/// The page of all nodes as Chromium shows it, on a desk and on a telephone.
@Suite(.enabled(if: Browser.program != nil, "there is no Chromium on this machine"))
struct ClusterPageInABrowserTests {
    /// Tells in an attribute of the body what a person could not see.
    private static let measure = """
        <script>addEventListener('load',()=>{const found=[];
        const wide=document.documentElement.scrollWidth;if(wide>innerWidth)found.push('the page is '+wide+' wide');
        for(const cell of document.querySelectorAll('.why,td:first-child')){const box=cell.getBoundingClientRect();
        if(box.width<100||box.height<10||box.right>innerWidth||cell.scrollWidth>cell.clientWidth+1)
        found.push('cut off: '+cell.textContent.slice(0,30));}
        const first=document.querySelector('tbody tr').getBoundingClientRect();
        if(first.bottom>700)found.push('the first row is below the first screen');
        document.body.dataset.found=JSON.stringify(found);});</script>
        """

    private let reason =
        "it is not ready: GET /readyz?verbose=true on port 8080 was answered 503; woken last by a connection from"
        + " [fd00:88::1:2:3:4]:58214 to port 8080"

    private var html: String {
        let long = "a-deployment-with-a-long-name-5d4f8c7b9d-x2x4z"
        let pods =
            [ClusterPageTests.pod(long, "RUNNING", why: reason, freed: 0), ClusterPageTests.pod("db-0", "FROZEN")]
            + (0..<40).map {
                ClusterPageTests.pod("shop-\($0)-7c6b5d9f84-abcde", "SCALED_DOWN", node: "worker-\($0 % 3)")
            }
        return ClusterPage(
            .init(containers: pods.flatMap(ClusterContainer.all(in:))), .init(), now: 90_000
        ).html
    }

    private func hidden(in html: String, width: Int) async throws -> [String] {
        let file = FileManager.default.temporaryDirectory.appending(path: "cluster-\(UUID().uuidString).html")
        defer { try? FileManager.default.removeItem(at: file) }
        try html.replacing("</body>", with: Self.measure + "</body>").write(to: file, atomically: true, encoding: .utf8)
        let page = try await Browser().document(of: file.absoluteString, width: width)
        let found = try #require(page.firstMatch(of: /data-found="([^"]*)"/)?.1, "it was not measured")
        return try JSON(parsing: Array(found.replacing("&quot;", with: "\"").utf8)).strings
    }

    @Test(arguments: [("cluster", 1200), ("cluster-on-a-telephone", 400)])
    func everyReasonIsOnTheScreen(_ name: String, _ width: Int) async throws {
        #expect(try await hidden(in: html, width: width) == [])
        // What is off the screen is found.
        let cut = html.replacing("<td class=why>", with: "<td class=why style=\"white-space:nowrap\">")
        #expect(try await !hidden(in: cut, width: width).isEmpty)
        let file = FileManager.default.temporaryDirectory.appending(path: "picture-\(UUID().uuidString).html")
        defer { try? FileManager.default.removeItem(at: file) }
        try html.write(to: file, atomically: true, encoding: .utf8)
        let picture = try await Browser().picture(of: file.absoluteString, as: name, width: width)
        #expect(picture.count > 15_000)
    }
}
