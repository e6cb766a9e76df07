import JSON

/// One line of `zeropod check`: what was looked at, and how it is.
package struct Finding: Equatable {
    package enum Verdict: String {
        case good
        /// Works, with less: `remedy` says what would be better.
        case limited
        /// Containers will not sleep, or not run, on this node.
        case missing
    }

    package let subject: String
    package let verdict: Verdict
    /// What was found.
    package let detail: String
    /// The way out; empty if nothing is wrong.
    package let remedy: String

    package static func good(_ subject: String, _ detail: String) -> Finding {
        Finding(subject: subject, verdict: .good, detail: detail, remedy: "")
    }

    package static func limited(_ subject: String, _ detail: String, _ remedy: String) -> Finding {
        Finding(subject: subject, verdict: .limited, detail: detail, remedy: remedy)
    }

    package static func missing(_ subject: String, _ detail: String, _ remedy: String) -> Finding {
        Finding(subject: subject, verdict: .missing, detail: detail, remedy: remedy)
    }

    var json: JSON {
        var object = JSON.object(JSON.Object())
        object["subject"] = .string(subject)
        object["verdict"] = .string(verdict.rawValue)
        object["detail"] = .string(detail)
        if !remedy.isEmpty { object["remedy"] = .string(remedy) }
        return object
    }
}

/// All lines, for people or for programs.
package struct FindingsReport {
    package let findings: [Finding]
    /// What they mean together, if that is not to be told from them.
    private let conclusion: String?

    package init(_ findings: [Finding], _ conclusion: String? = nil) {
        (self.findings, self.conclusion) = (findings, conclusion)
    }

    package var isUsable: Bool { findings.allSatisfy { $0.verdict != .missing } }

    package var json: String { JSON.array(findings.map(\.json)).text }

    package var text: String {
        let width = findings.map(\.subject.count).max() ?? 0
        var lines = findings.flatMap { finding in
            let mark =
                switch finding.verdict {
                case .good: "ok     "
                case .limited: "limited"
                case .missing: "MISSING"
                }
            let space = String(repeating: " ", count: width - finding.subject.count)
            let line = "\(mark)  \(finding.subject)\(space)  \(finding.detail)"
            let indent = String(repeating: " ", count: mark.count + width + 4)
            return finding.remedy.isEmpty ? [line] : [line, "\(indent)→ \(finding.remedy)"]
        }
        lines.append(
            conclusion ?? (isUsable ? "containers can sleep on this node" : "containers cannot sleep on this node"))
        return lines.joined(separator: "\n")
    }
}
