import StatusAPI

/// One container.
extension StatusPage {
    func row(_ report: ContainerReport) -> String {
        let isAsleep = report.state == .asleep
        let freed = isAsleep || report.memoryGivenBack > 0 ? InWords.size(report.memoryGivenBack) : ""
        let image = isAsleep || report.imageBytes > 0 ? InWords.size(report.imageBytes) : ""
        func number(_ text: String, _ head: String) -> String {
            // Narrow, the head of the table is not there to say what a number is.
            "<td class=number data-head=\"\(head)\">\(text)</td>"
        }
        return "<tr><td>\(name(report))</td><td>\(state(report))</td><td class=why>\(why(report))</td>"
            + "<td class=plot>\(wakes(report))</td>" + number("\(report.sleeps)", "sleeps") + number(freed, "freed")
            + number(image, "on disk") + "</tr>"
    }

    private func name(_ report: ContainerReport) -> String {
        let isPod = !report.podName.isEmpty
        let below = isPod ? "\(report.podNamespace) / \(report.containerName)" : report.namespace
        return "<b>\(HTML.escaped(isPod ? report.podName : report.id))</b>\(soft(HTML.escaped(below)))"
    }

    private func state(_ report: ContainerReport) -> String {
        let state = report.isPaused ? "paused" : report.state.word
        let since = report.since.map { " " + soft(InWords.age(now - $0.seconds)) } ?? ""
        return "<span class=\"state \(state)\">\(state)</span>\(since)"
    }

    private func wakes(_ report: ContainerReport) -> String {
        guard let plot = WakePlot(report.wakes), let wakes = report.wakes else { return soft("none yet") }
        return plot.svg + soft("last \(InWords.milliseconds(wakes.lastNanoseconds))")
    }

    private func why(_ report: ContainerReport) -> String {
        let why = HTML.escaped(report.why(now: now))
        let text = report.reasons.isEmpty ? soft(why) : why
        if report.lastError.isEmpty { return text }
        return text + "<br>" + soft("it has failed to sleep or to wake: <code>zeropod status --json</code> says why")
    }

    private func soft(_ html: String) -> String { "<span class=soft>\(html)</span>" }
}
