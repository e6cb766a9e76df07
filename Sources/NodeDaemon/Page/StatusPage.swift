import StatusAPI

/// The page for people: every container of the node that could sleep, what it does, and what that has saved.
struct StatusPage {
    private let node: String
    private let containers: [ContainerReport]
    private let notes: [String]
    private let isOfCluster: Bool
    let now: Int64

    /// - Parameters:
    ///   - notes: lines about what does not work.
    ///   - isOfCluster: there is a page of all nodes.
    ///   - now: seconds since 1970.
    init(node: String, _ containers: [ContainerReport], notes: [String], isOfCluster: Bool = false, now: Int64) {
        (self.node, self.containers, self.notes, self.now) = (node, containers, notes, now)
        self.isOfCluster = isOfCluster
    }

    var html: String {
        let name = HTML.escaped(node)
        let frame = PageFrame(
            title: name.isEmpty ? "zeropod" : "zeropod on \(name)",
            header: name.isEmpty ? "" : "<p>on node <b>\(name)</b></p>", refresh: 10)
        let others = isOfCluster ? "<a href=\"/cluster\">All nodes</a> are on one page. " : ""
        return frame.html(
            """
            \(summary)
            \(notes.map { "<p class=note>\(HTML.escaped($0))</p>\n" }.joined())\(table)
            <p class=foot>\(others)Read anew every 10 seconds. Bars count wakes, the quick ones at the left.
            Numbers for machines are at <a href="/metrics">/metrics</a>. zeropod \(Version.text).</p>
            """)
    }

    private var summary: String {
        let asleep = containers.filter { $0.state.isAsleep }
        let memory = asleep.reduce(0) { $0 + $1.memoryGivenBack }
        let images = asleep.reduce(0) { $0 + $1.imageBytes }
        let wakes = WakePlot(sumOf: containers.compactMap(\.wakes))
        let count = wakes?.count ?? 0
        let took = wakes.map { count == 1 ? "wake, \($0.median)" : "wakes, half of them \($0.median)" } ?? "wakes"
        return PageFrame.cards([
            ("\(asleep.count) of \(containers.count)", "containers asleep"),
            (InWords.size(memory), "of memory free by that"), (InWords.size(images), "of images on disk"),
            ("\(count)", took),
        ])
    }

    /// Those that are awake first: there are few of them among many that sleep, and their memory is what costs.
    private var inOrder: [ContainerReport] {
        func rank(_ report: ContainerReport) -> Int {
            switch report.state {
            case .asleep: 2
            case .frozen: 1
            default: 0
            }
        }
        return containers.enumerated().sorted {
            (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
        }.map(\.element)
    }

    private var table: String {
        if containers.isEmpty { return "<p>No container of this node runs with zeropod.</p>" }
        let heads = ["Pod and container", "State, since", "Why", "How long wakes took"]
        return PageFrame.table(heads, numbers: ["Sleeps", "Memory freed", "Image on disk"], inOrder.map(row))
    }
}
