import StatusAPI

/// The page for people: every container of the node that could sleep, what it does, and what that has saved.
struct StatusPage {
    private let node: String
    private let containers: [ContainerReport]
    private let notes: [String]
    let now: Int64

    /// - Parameters:
    ///   - notes: lines about what does not work.
    ///   - now: seconds since 1970.
    init(node: String, _ containers: [ContainerReport], notes: [String], now: Int64) {
        (self.node, self.containers, self.notes, self.now) = (node, containers, notes, now)
    }

    var html: String {
        let name = HTML.escaped(node)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="refresh" content="10">
            <meta name="viewport" content="width=device-width">
            <title>\(name.isEmpty ? "zeropod" : "zeropod on \(name)")</title>
            <style>\(StatusPage.style)</style>
            </head>
            <body>
            <header><h1>zeropod</h1>\(name.isEmpty ? "" : "<p>on node <b>\(name)</b></p>")</header>
            \(summary)
            \(notes.map { "<p class=note>\(HTML.escaped($0))</p>\n" }.joined())\(table)
            <p class=foot>Read anew every 10 seconds. Bars count wakes, the quick ones at the left.
            Numbers for machines are at <a href="/metrics">/metrics</a>. zeropod \(Version.text).</p>
            </body>
            </html>

            """
    }

    private var summary: String {
        let asleep = containers.filter { $0.state.isAsleep }
        let memory = asleep.reduce(0) { $0 + $1.memoryGivenBack }
        let images = asleep.reduce(0) { $0 + $1.imageBytes }
        let wakes = WakePlot(sumOf: containers.compactMap(\.wakes))
        let count = wakes?.count ?? 0
        let took = wakes.map { count == 1 ? "wake, \($0.median)" : "wakes, half of them \($0.median)" } ?? "wakes"
        func card(_ value: String, _ label: String) -> String { "<div><b>\(value)</b>\(label)</div>" }
        return "<div class=cards>"
            + card("\(asleep.count) of \(containers.count)", "containers asleep")
            + card(InWords.size(memory), "of memory free by that") + card(InWords.size(images), "of images on disk")
            + card("\(count)", took) + "</div>"
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
        let numbers = ["Sleeps", "Memory freed", "Image on disk"]
        return """
            <div class=scroll><table>
            <thead><tr>\(heads.map { "<th scope=col>\($0)</th>" }.joined())\
            \(numbers.map { "<th scope=col class=number>\($0)</th>" }.joined())</tr></thead>
            <tbody>
            \(inOrder.map(row).joined(separator: "\n"))
            </tbody>
            </table></div>
            """
    }
}
