import Foundation

/// Which items there are. Nobody keeps a list: tests are those of the bundle, and those of modules that use test nodes are
/// put together by the suites whose nodes they share.
struct Plan {
    let options: Options
    let durations: Durations

    /// Of a test that nobody has measured.
    private let unknownOnNodes = 5.0, unknown = 0.02
    /// So much of an outermost suite is one item: starting a node takes a few seconds, so it should serve several suites.
    private let batch = 75.0

    func items(of all: [Test]) -> [Item] {
        let tests = all.filter { options.wants($0) }
        let steps = options.steps.map { step in
            Item(
                name: step.name, work: .step(command: step.command), expected: durations[step.name] ?? 60,
                isAlone: step.isAlone)
        }
        // These look at the machine itself (descriptors, links, namespaces), so nothing runs beside them.
        let alone = tests.filter { !options.usesNodes($0) }
        let units = alone.isEmpty ? [] : [item("unit tests", alone, isAlone: true)]
        return units + batches(of: tests.filter(options.usesNodes)) + steps
    }

    func expected(_ test: Test) -> Double {
        durations[test.id] ?? (options.usesNodes(test) ? unknownOnNodes : unknown)
    }

    private func batches(of tests: [Test]) -> [Item] {
        Dictionary(grouping: tests, by: \.outermost).sorted { $0.key < $1.key }.flatMap { outermost, tests in
            let suites = Dictionary(grouping: tests, by: \.suite).sorted { $0.key < $1.key }.map(\.value)
            var batches: [[Test]] = []
            for suite in suites {
                if let last = batches.last, time(last) + time(suite) <= batch {
                    batches[batches.count - 1] += suite
                } else {
                    batches.append(suite)
                }
            }
            return batches.enumerated().map { number, tests in
                item(batches.count == 1 ? outermost : "\(outermost) \(number + 1)/\(batches.count)", tests)
            }
        }
    }

    private func item(_ name: String, _ tests: [Test], isAlone: Bool = false) -> Item {
        Item(
            name: name, work: .tests(tests), expected: time(tests), isAlone: isAlone,
            awaited: tests.first.flatMap { options.awaited[$0.module] })
    }

    private func time(_ tests: [Test]) -> Double { tests.map(expected).reduce(0, +) }
}
