import Foundation

/// What .ci/test asks for.
struct Options: Sendable {
    struct Step: Sendable {
        let name: String
        let command: String
        let isAlone: Bool
    }

    /// The program with the tests in it.
    var bundle = ""
    /// For logs, events and what was measured.
    var directory = URL(filePath: "build/test")
    var durations = URL(filePath: "Tests/durations")
    /// For what the next run wants to know, whatever checkout it is of.
    var cache = URL(filePath: "build/test")
    var workers = 2
    /// Parts of names; all if there is none.
    var only: [String] = []
    var repetitions = 1
    /// Modules whose tests use test nodes.
    var modulesOnNodes: Set<String> = []
    /// By module, a file that it cannot do without.
    var awaited: [String: String] = [:]
    /// Tests and steps that are left out, each with the reason.
    var skipped: [String] = []
    var steps: [Step] = []
    /// Tests that are left out, but for one that begins so: the quick run.
    var quick: String?

    /// - Parameter arguments: pairs of a name and a value.
    init(_ arguments: [String]) throws {
        guard arguments.count.isMultiple(of: 2) else { throw Mistake(what: arguments.last ?? "") }
        for index in stride(from: 0, to: arguments.count, by: 2) {
            let (name, value) = (arguments[index], arguments[index + 1])
            switch name {
            case "--bundle": bundle = value
            case "--workers": workers = try number(value, name)
            case "--repeat": repetitions = try number(value, name)
            case "--cache": cache = URL(filePath: value)
            case "--only": only.append(value)
            case "--quick": quick = value
            case "--on-nodes": modulesOnNodes.formUnion(value.split(separator: " ").map(String.init))
            case "--await":
                let pair = value.split(separator: "=", maxSplits: 1).map(String.init)
                guard pair.count == 2 else { throw Mistake(what: value) }
                awaited[pair[0]] = pair[1]
            case "--skipped": skipped.append(value)
            case "--step", "--step-alone":
                let pair = value.split(separator: "=", maxSplits: 1).map(String.init)
                guard pair.count == 2 else { throw Mistake(what: value) }
                steps.append(Step(name: pair[0], command: pair[1], isAlone: name == "--step-alone"))
            default: throw Mistake(what: name)
            }
        }
        if bundle.isEmpty { throw Mistake(what: "no --bundle") }
    }

    private func number(_ value: String, _ name: String) throws -> Int {
        guard let number = Int(value), number > 0 else { throw Mistake(what: "\(name) \(value)") }
        return number
    }

    func usesNodes(_ test: Test) -> Bool { modulesOnNodes.contains(test.module) }

    func wants(_ test: Test) -> Bool {
        if !only.isEmpty { return only.contains { test.id.contains($0) } }
        return quick.map { !usesNodes(test) || test.id.contains($0) } ?? true
    }
}

struct Mistake: Error, CustomStringConvertible {
    let what: String
    var description: String { "cannot make sense of '\(what)'" }
}
