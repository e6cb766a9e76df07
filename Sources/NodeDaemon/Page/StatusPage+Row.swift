import StatusAPI

/// One container.
extension StatusPage {
    func row(_ report: ContainerReport) -> String {
        let isAsleep = report.state == .asleep
        let freed = isAsleep || report.memoryGivenBack > 0 ? InWords.size(report.memoryGivenBack) : ""
        let image = isAsleep || report.imageBytes > 0 ? InWords.size(report.imageBytes) : ""
        return "<tr><td>\(name(report))</td><td>\(state(report))</td><td class=why>\(isAsleep ? "" : why(report))</td>"
            + "<td class=plot>\(wakes(report))</td><td class=number>\(report.sleeps)</td>"
            + "<td class=number>\(freed)</td><td class=number>\(image)</td></tr>"
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
        let reasons = report.reasons.map { HTML.escaped($0.withoutLog) }.joined(separator: "<br>")
        let nothing = report.state == .frozen ? report.whyFrozen : "nothing: it sleeps once it is idle for long enough"
        let text = reasons.isEmpty ? soft(nothing) : reasons
        if report.lastError.isEmpty { return text }
        return text + "<br>" + soft("it has failed to sleep or to wake: <code>zeropod status --json</code> says why")
    }

    private func soft(_ html: String) -> String { "<span class=soft>\(html)</span>" }
}

extension String {
    /// Without lines of CRIU's log, which name what a container has open: they are for root on the node.
    var withoutLog: String {
        let line = prefix { !$0.isNewline }
        let introduction = "; its log ends:"
        return String(line.hasSuffix(introduction) ? line.dropLast(introduction.count) : line)
    }
}
