import Foundation
import TestNode

extension Entry {
    /// The time of a wake by the size of the memory, drawn into docs/wake-by-memory.svg. Only if ONLY=plot asks for it.
    static let plot: Entry = {
        let sizes = [1, 4, 16, 64, 256, 1024]
        let rows = sizes.flatMap { ["plot/\($0)MB", "plot/\($0)MB/eager"] }
        return Entry(rows: rows, isUsual: false) { bench in
            for size in sizes {
                let application = Application.memory(megabytes: size)
                try await SleepBench(bench: bench, application: application).run(wake: "plot/\(size)MB")
                let eager = ["zeropod.ctrox.dev/wake": "eager"]
                try await SleepBench(
                    bench: bench, application: application, annotations: eager, hasControl: false
                ).run(wake: "plot/\(size)MB/eager")
            }
            let rows = await bench.report.rows
            func curve(_ name: String, _ suffix: String, _ side: (Report.Row) -> Samples) -> Chart.Curve {
                Chart.Curve(
                    name: name,
                    points: sizes.compactMap { size in
                        rows.first { $0.name == "plot/\(size)MB\(suffix)" }.map {
                            let samples = side($0)
                            return Chart.Point(
                                x: Double(size), median: samples.median, min: samples.min, max: samples.max)
                        }
                    })
            }
            let chart = Chart(
                title: "From connect to first byte, by touched memory", xUnit: "MB", yUnit: "ms",
                curves: [
                    curve("runc restore", "") { $0.control }, curve("wake: eager", "/eager") { $0.ours },
                    curve("zeropod", "") { $0.ours },
                ],
                note: "medians of \(bench.rounds), lines from the fastest to the slowest; both axes logarithmic")
            let file = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../docs/wake-by-memory.svg").standardized
            try Data(chart.svg.utf8).write(to: file)
        }
    }()
}
