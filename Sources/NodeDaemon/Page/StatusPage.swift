import StatusAPI

/// The page for people: every container of the node that could sleep, what it does, and what that has saved.
struct StatusPage {
    private let node: String
    private let containers: [ContainerReport]
    private let notes: [String]
    private let now: Int64

    /// - Parameters:
    ///   - notes: lines about what does not work.
    ///   - now: seconds since 1970.
    init(node: String, _ containers: [ContainerReport], notes: [String], now: Int64) {
        (self.node, self.containers, self.notes, self.now) = (node, containers, notes, now)
    }

    var html: String {
        let title = node.isEmpty ? "zeropod" : "zeropod on \(HTML.escaped(node))"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="refresh" content="10">
            <meta name="viewport" content="width=device-width">
            <title>\(title)</title>
            <style>\(StatusPage.style)</style>
            </head>
            <body>
            <h1>\(title)</h1>
            \(summary)
            \(notes.map { "<p class=note>\(HTML.escaped($0))</p>\n" }.joined())\(table)
            <p class=foot>Read anew every 10 seconds. Numbers for machines are at <a href="/metrics">/metrics</a>.</p>
            </body>
            </html>

            """
    }

    private var summary: String {
        let asleep = containers.filter { $0.state == .asleep }
        let memory = asleep.reduce(0) { $0 + $1.memoryGivenBack }
        let images = asleep.reduce(0) { $0 + $1.imageBytes }
        func card(_ value: String, _ label: String) -> String { "<div><b>\(value)</b>\(label)</div>" }
        return "<div class=cards>"
            + card("\(asleep.count) of \(containers.count)", "containers asleep")
            + card(InWords.size(memory), "of memory free by that") + card(InWords.size(images), "of images on disk")
            + "</div>"
    }

    private var table: String {
        if containers.isEmpty { return "<p>No container of this node runs with zeropod.</p>" }
        let heads = [
            "Namespace", "Pod", "Container", "State", "Since", "Why awake", "Slept", "Last wake", "Wakes", "Freed",
            "Images",
        ]
        return """
            <table>
            <thead><tr>\(heads.map { "<th scope=col>\($0)</th>" }.joined())</tr></thead>
            <tbody>
            \(containers.map(row).joined(separator: "\n"))
            </tbody>
            </table>
            """
    }

    private func row(_ report: ContainerReport) -> String {
        let isAsleep = report.state == .asleep
        let state = report.isPaused ? "paused" : report.state.word
        let isPod = !report.podName.isEmpty
        let woke = report.wakes ?? report.restores
        let cells: [String] = [
            HTML.escaped(isPod ? report.podNamespace : report.namespace), HTML.escaped(isPod ? report.podName : "-"),
            HTML.escaped(isPod ? report.containerName : report.id), "<span class=\"state \(state)\">\(state)</span>",
            report.since.map { InWords.age(now - $0.seconds) } ?? "-", isAsleep ? "" : why(report),
            "\(report.checkpoints?.count ?? 0)&times;", woke.map { InWords.milliseconds($0.lastNanoseconds) } ?? "-",
            WakePlot(report.wakes)?.svg ?? "", isAsleep ? InWords.size(report.memoryGivenBack) : "-",
            isAsleep ? InWords.size(report.imageBytes) : "-",
        ]
        return "<tr>\(cells.map { "<td>\($0)</td>" }.joined())</tr>"
    }

    private func why(_ report: ContainerReport) -> String {
        let reasons = report.reasons.map(HTML.escaped).joined(separator: "<br>")
        if report.lastError.isEmpty { return reasons }
        let log = HTML.escaped(report.lastError)
        return "\(reasons)<details><summary>last failure</summary><pre>\(log)</pre></details>"
    }
}
