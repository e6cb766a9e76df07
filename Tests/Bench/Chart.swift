import Foundation

/// Curves with the spread of their points, on logarithmic axes, as SVG.
struct Chart {
    struct Point {
        let x: Double
        let median: Double
        let min: Double
        let max: Double
    }

    struct Curve {
        let name: String
        let points: [Point]
    }

    let title: String
    let xUnit: String
    let yUnit: String
    let curves: [Curve]
    let note: String

    private let width = 640.0
    private let height = 400.0
    private let left = 64.0
    private let right = 116.0
    private let top = 48.0
    private let bottom = 64.0
    /// Told apart by those who see no red or no green, on white and on black.
    private let colours = ["#d55e00", "#8b8b8b", "#0072b2"]

    private var points: [Point] { curves.flatMap(\.points) }
    private var xs: [Double] { Array(Set(points.map(\.x))).sorted() }
    /// Whole decades around all that is drawn.
    private var decades: ClosedRange<Int> {
        let low = points.map(\.min).min() ?? 1
        let high = points.map(\.max).max() ?? 10
        let first = Int(log10(low).rounded(.down))
        return first...max(first + 1, Int(log10(high).rounded(.up)))
    }

    private func x(_ value: Double) -> Double {
        let (low, high) = (log(xs.first ?? 1), log(xs.last ?? 10))
        return left + (width - left - right) * (log(value) - low) / max(high - low, .ulpOfOne)
    }

    private func y(_ value: Double) -> Double {
        let (low, high) = (Double(decades.lowerBound), Double(decades.upperBound))
        return height - bottom - (height - top - bottom) * (log10(value) - low) / (high - low)
    }

    var svg: String {
        let head = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" \
            font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            \(text(left, 24, title, "font-size=\"15\""))
            """
        let foot = text(left, height - 14, note, "fill=\"#555\"")
        return ([head] + grid + zip(curves, colours).flatMap(draw) + [foot, "</svg>"]).joined(separator: "\n") + "\n"
    }

    private var grid: [String] {
        decades.flatMap { decade in
            let at = y(pow(10, Double(decade)))
            return [
                line(left, at, width - right, at, "stroke=\"#ddd\""),
                text(left - 8, at + 4, "\(number(pow(10, Double(decade)))) \(yUnit)", "text-anchor=\"end\""),
            ]
        }
            + xs.flatMap { value in
                [
                    line(x(value), height - bottom, x(value), height - bottom + 5, "stroke=\"#555\""),
                    text(x(value), height - bottom + 20, "\(number(value)) \(xUnit)", "text-anchor=\"middle\""),
                ]
            }
    }

    private func draw(_ curve: Curve, _ colour: String) -> [String] {
        let path = curve.points.map { "\(short(x($0.x))),\(short(y($0.median)))" }.joined(separator: " ")
        var parts = ["<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>"]
        for point in curve.points {
            let at = x(point.x)
            parts.append(line(at, y(point.min), at, y(point.max), "stroke=\"\(colour)\""))
            parts.append(
                """
                <circle cx="\(short(at))" cy="\(short(y(point.median)))" r="3.5" fill="\(colour)">\
                <title>\(curve.name), \(number(point.x)) \(xUnit): \(number(point.median)) \(yUnit)</title></circle>
                """)
        }
        if let last = curve.points.last {
            parts.append(text(x(last.x) + 8, y(last.median) + 4, curve.name, "fill=\"\(colour)\""))
        }
        return parts
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
        "<line x1=\"\(short(x1))\" y1=\"\(short(y1))\" x2=\"\(short(x2))\" y2=\"\(short(y2))\" \(style)/>"
    }

    private func text(_ x: Double, _ y: Double, _ content: String, _ style: String) -> String {
        "<text x=\"\(short(x))\" y=\"\(short(y))\" \(style)>\(content)</text>"
    }

    private func short(_ value: Double) -> String { number((value * 10).rounded() / 10) }

    private func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
