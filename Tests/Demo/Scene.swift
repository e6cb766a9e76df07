/// What the screen shows at one moment.
struct Scene: Sendable {
    /// One container with its pod and the pod's shim.
    struct Actor: Sendable {
        let name: String
        let port: UInt16
        var isAsleep = false
        /// Those that the container runs, not the shim's.
        var processes = 0
        /// Of all processes of the pod, shared pages counted in proportion.
        var memory = 0
        /// Of the images that a sleeping container is restored from.
        var onDisk = 0
        var shimPrivate = 0
        var shimResident = 0
        /// Private memory of what stands in for criu in the container's control groups, when it slept last.
        var standIn = 0
        var sleeps = 0
        /// Memory over time, the latest last.
        var history: [Int] = []
    }

    struct Event: Sendable {
        let seconds: Double
        let actor: String
        let what: String
        /// Empty if it took no time worth telling.
        let took: String
        let detail: String
        let kind: Kind

        enum Kind: Sendable { case plain, sleep, wake, warm }
    }

    var seconds = 0.0
    var title = ""
    var caption = ""
    var actors: [Actor] = []
    /// Private memory of a stock shim, for comparison.
    var stockShim = 0
    var events: [Event] = []
}

enum Text {
    static func bytes(_ count: Int) -> String {
        switch count {
        case 0: "0"
        case ..<1_000_000: "\(Int((Double(count) / 1000).rounded())) kB"
        default: "\(tenths(Double(count) / 1e6)) MB"
        }
    }

    static func milliseconds(_ value: Double) -> String {
        value < 10 ? "\((value * 100).rounded() / 100) ms" : "\(tenths(value)) ms"
    }

    static func time(_ seconds: Double) -> String { "\(tenths(seconds)) s" }

    private static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

extension String {
    func left(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
    func right(_ width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}
