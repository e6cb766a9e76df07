import StatusAPI

/// The page of all nodes: every container that could sleep, those that are awake first, by what the cluster knows of them.
struct ClusterPage {
    /// Which of them are wanted.
    struct Filter: Equatable {
        /// A part of a name, of the node or of the reason.
        var text = ""
        /// Nil: any.
        var state: ClusterContainer.State?

        init(text: String = "", state: ClusterContainer.State? = nil) { (self.text, self.state) = (text, state) }

        /// As the page's form sends it.
        init(_ query: [String: String]) {
            self.init(text: query["text"] ?? "", state: query["state"].flatMap(ClusterContainer.State.init(rawValue:)))
        }

        func admits(_ container: ClusterContainer) -> Bool {
            if let state, container.state != state { return false }
            if text.isEmpty { return true }
            let names = "\(container.namespace)/\(container.pod)/\(container.name)"
            let texts = [names, container.annotation?.node ?? "", container.annotation?.why ?? ""]
            return texts.contains { $0.lowercased().contains(text.lowercased()) }
        }
    }

    /// More rows than anybody reads.
    private static let longest = 1000

    private let all: [ClusterContainer]
    private let shown: [ClusterContainer]
    private let filter: Filter
    private let trouble: String
    private let now: Int64

    /// - Parameter now: seconds since 1970.
    init(_ findings: ClusterSurvey.Findings, _ filter: Filter, now: Int64) {
        (all, trouble, self.filter, self.now) = (findings.containers, findings.trouble, filter, now)
        let ranks = Dictionary(uniqueKeysWithValues: zip(ClusterContainer.State.allCases, 0...))
        shown = all.filter(filter.admits).sorted {
            (ranks[$0.state] ?? 0, $0.namespace, $0.pod, $0.name) < (
                ranks[$1.state] ?? 0, $1.namespace, $1.pod, $1.name
            )
        }
    }

    var html: String {
        let notes = trouble.isEmpty ? "" : "<p class=note>\(HTML.escaped(trouble))</p>\n"
        return PageFrame(title: "zeropod in the cluster", header: "<p>in the whole cluster</p>").html(
            """
            \(summary)
            \(form)
            \(notes)\(sections)
            <p class=foot>As the labels and annotations of the pods say, ten seconds old at most; a reason is up to a minute
            late. <a href="/">This daemon's node</a> has more. zeropod \(Version.text).</p>
            """)
    }

    private var summary: String {
        let asleep = shown.filter { $0.state != .awake }
        let awake = shown.count - asleep.count
        // Whoever may annotate a pod can write any number.
        let memory = asleep.reduce(UInt64(0)) { sum, container in
            let (result, isTooMuch) = sum.addingReportingOverflow(container.annotation?.memoryFreed ?? 0)
            return isTooMuch ? .max : result
        }
        let nodes = Set(shown.compactMap(\.annotation?.node)).count
        return PageFrame.cards([
            ("\(awake)", awake == 1 ? "container awake" : "containers awake"),
            ("\(asleep.count) of \(shown.count)", "containers asleep"),
            (InWords.size(memory), "of memory free by that"), ("\(nodes)", nodes == 1 ? "node" : "nodes"),
        ])
    }

    private var form: String {
        let options = ClusterContainer.State.allCases.map { state in
            "<option\(filter.state == state ? " selected" : "")>\(state.rawValue)</option>"
        }
        return """
            <form><input name=text type=search value="\(HTML.escaped(filter.text))" placeholder="name, node or reason" \
            aria-label="part of a name, of a node or of a reason">
            <select name=state aria-label="state"><option value="">in any state</option>\(options.joined())</select>
            <button>Show</button></form>
            """
    }

    private var sections: String {
        if all.isEmpty {
            return "<p>No pod of the cluster has a label of zeropod; daemons with --status-labels write them.</p>"
        }
        if shown.isEmpty { return "<p>None of \(all.count) containers is as wanted.</p>" }
        let rows = shown.prefix(Self.longest)
        let sections = ClusterContainer.State.allCases.map { state in
            section(state, rows.filter { $0.state == state })
        }
        let more = shown.count - rows.count
        return sections.joined() + (more > 0 ? "<p>And \(more) more: say above which you want.</p>" : "")
    }

    private func section(_ state: ClusterContainer.State, _ rows: [ClusterContainer]) -> String {
        if rows.isEmpty { return "" }
        let head = "<h2>\(state.rawValue.prefix(1).uppercased())\(state.rawValue.dropFirst()): \(rows.count)</h2>\n"
        return head
            + PageFrame.table(
                ["Pod and container", "Since", "Why"], numbers: ["Wakes", "Memory freed"], rows.map(row))
    }

    private func row(_ container: ClusterContainer) -> String {
        let annotation = container.annotation
        let place = "\(container.namespace) / \(container.name)" + (annotation.map { " on \($0.node)" } ?? "")
        let since = annotation.map { InWords.age(subtracting($0.since)) } ?? ""
        let why = annotation?.why ?? ""
        let freed = annotation.map { $0.memoryFreed > 0 ? InWords.size($0.memoryFreed) : "" } ?? ""
        return "<tr><td><b>\(HTML.escaped(container.pod))</b><span class=soft>\(HTML.escaped(place))</span></td>"
            + "<td><span class=soft>\(since)</span></td>"
            + "<td class=why>\(HTML.escaped(why.isEmpty ? "the daemon of its node does not say" : why))</td>"
            + "<td class=number data-head=\"wakes\">\(annotation.map { "\($0.wakes)" } ?? "")</td>"
            + "<td class=number data-head=\"freed\">\(freed)</td></tr>"
    }

    private func subtracting(_ since: Int64) -> Int64 {
        let (age, isTooMuch) = now.subtractingReportingOverflow(since)
        return isTooMuch ? 0 : age
    }
}
