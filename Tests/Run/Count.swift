import Foundation

/// "12 passed, 0 failed, 1 skipped", as the last line of what a step says. A step that counts nothing is one check.
struct Count {
    private(set) var passed = 0
    private(set) var failed = 0
    private(set) var skipped = 0

    var text: String { "\(passed) passed, \(failed) failed, \(skipped) skipped" }

    init(lastLineOf log: URL, _ status: Int32) {
        let text = (try? String(decoding: Data(contentsOf: log), as: UTF8.self)) ?? ""
        let line = text.split(separator: "\n").last { $0.wholeMatch(of: /\d+ passed, \d+ failed.*/) != nil } ?? ""
        for match in line.matches(of: /(\d+) (passed|failed|skipped)/) {
            let number = Int(match.1) ?? 0
            switch match.2 {
            case "passed": passed = number
            case "failed": failed = number
            default: skipped = number
            }
        }
        if status != 0, failed == 0 { failed = 1 }
        if line.isEmpty, status == 0 { passed = 1 }
    }
}
