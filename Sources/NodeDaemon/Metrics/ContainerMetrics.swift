import Protobuf
import StatusAPI

/// What Prometheus reads. Every number is a shim's own count since the start of its container, so scraping twice, or
/// restarting the daemon, changes nothing. The first seven names are those of upstream zeropod.
struct ContainerMetrics {
    private var running = MetricFamily(
        "zeropod_running", .gauge, "1 if the processes of the container are there, 0 if it sleeps.")
    private var frozen = MetricFamily(
        "zeropod_frozen", .gauge, "1 if the processes of the container are there and stand still.")
    private var freezes = MetricFamily("zeropod_freezes_total", .counter, "How often it was frozen.")
    private var checkpoints = MetricFamily(
        "zeropod_checkpoint_duration_seconds", .histogram, "How long falling asleep took.")
    private var restores = MetricFamily("zeropod_restore_duration_seconds", .histogram, "How long restores took.")
    private var lastCheckpoint = MetricFamily(
        "zeropod_last_checkpoint_time", .gauge, "When it last fell asleep, in nanoseconds since 1970.")
    private var lastRestore = MetricFamily(
        "zeropod_last_restore_time", .gauge, "When it last woke, in nanoseconds since 1970.")
    private var checkpointErrors = MetricFamily(
        "zeropod_checkpoint_errors_total", .counter, "Checkpoints and freezes that failed.")
    private var restoreErrors = MetricFamily("zeropod_restore_errors_total", .counter, "Restores that failed.")
    private var wakes = MetricFamily(
        "zeropod_wake_duration_seconds", .histogram,
        "From the arrival of the connection that woke the container until the application had it.")
    private var memory = MetricFamily(
        "zeropod_memory_given_back_bytes", .gauge, "Memory that its processes had, and that is free while it sleeps.")
    private var images = MetricFamily("zeropod_image_bytes", .gauge, "Its images on disk.")
    private var held = MetricFamily(
        "zeropod_connections_held_total", .counter, "Connections that waited for it to wake.")
    private var probes = MetricFamily(
        "zeropod_probes_answered_total", .counter, "Probes that were answered while it slept.")
    private var waiting = MetricFamily(
        "zeropod_wake_waiting", .gauge, "1 while its wake waits for its turn among those of the node.")
    private var inTurn = MetricFamily(
        "zeropod_wakes_in_turn_total", .counter, "Wakes that had to wait for those of others.")
    private var wakesByWay = MetricFamily(
        "zeropod_wakes_total", .counter, "How often it was woken, by what: a new connection, data on an open one, …")
    private var reasons = MetricFamily("zeropod_awake_reason", .gauge, "1 for each reason why it does not sleep now.")

    init(_ reports: [ContainerReport]) {
        for report in Self.newest(reports) { add(report) }
    }

    var text: String {
        [
            running, frozen, freezes, checkpoints, restores, lastCheckpoint, lastRestore, checkpointErrors,
            restoreErrors, wakes, memory,
            images, held, probes, waiting, inTurn, wakesByWay, reasons,
        ].map(\.text).joined()
    }

    /// One for each set of labels: a container that is started anew has those of its predecessor, whose shim may still
    /// tell of it.
    private static func newest(_ reports: [ContainerReport]) -> [ContainerReport] {
        var newest: [String: ContainerReport] = [:]
        func rank(_ report: ContainerReport) -> (Int, Int64) {
            (report.state == .exited ? 0 : 1, report.since?.seconds ?? 0)
        }
        for report in reports {
            if let other = newest[report.title], rank(other) >= rank(report) { continue }
            newest[report.title] = report
        }
        return newest.values.sorted { $0.title < $1.title }
    }

    private mutating func add(_ report: ContainerReport) {
        let isPod = !report.podName.isEmpty
        let labels: Labels = [
            "container": isPod ? report.containerName : report.id, "pod": report.podName,
            "namespace": isPod ? report.podNamespace : report.namespace,
        ]
        running.add(report.state == .asleep || report.state == .exited ? 0 : 1, labels)
        frozen.add(report.state == .frozen ? 1 : 0, labels)
        freezes.add(report.freezes, labels)
        checkpoints.add(report.checkpoints, labels)
        restores.add(report.restores, labels)
        wakes.add(report.wakes, labels)
        if let time = report.lastCheckpoint { lastCheckpoint.add(time.nanosecondsSince1970, labels) }
        if let time = report.lastRestore { lastRestore.add(time.nanosecondsSince1970, labels) }
        checkpointErrors.add(report.checkpointErrors, labels)
        restoreErrors.add(report.restoreErrors, labels)
        memory.add(report.state.isAsleep ? report.memoryGivenBack : 0, labels)
        images.add(report.imageBytes, labels)
        held.add(report.connectionsHeld, labels)
        probes.add(report.probesAnswered, labels)
        waiting.add(report.waitsForItsTurn ? 1 : 0, labels)
        inTurn.add(report.wakesInTurn, labels)
        for way in WakeCount.ways {
            let count = report.wakesByWay.first { $0.way == way }?.count ?? 0
            wakesByWay.add(count, labels.with("reason", way))
        }
        for reason in report.reasons { reasons.add(1, labels.with("reason", reason.withoutLog)) }
    }
}

extension Timestamp {
    fileprivate var nanosecondsSince1970: Int64 { seconds * 1_000_000_000 + Int64(nanoseconds) }
}

extension MetricFamily {
    /// A histogram; zeros before the first time, so that a rate sees the first.
    fileprivate mutating func add(_ durations: Durations?, _ labels: Labels) {
        for (limit, count) in zip(durations?.limitMilliseconds ?? [], durations?.cumulative ?? []) {
            add("\(count)", labels.with("le", Self.seconds(nanoseconds: limit * 1_000_000)), suffix: "_bucket")
        }
        add("\(durations?.count ?? 0)", labels.with("le", "+Inf"), suffix: "_bucket")
        add(Self.seconds(nanoseconds: durations?.sumNanoseconds ?? 0), labels, suffix: "_sum")
        add("\(durations?.count ?? 0)", labels, suffix: "_count")
    }

    /// In decimal notation: `0.025`, `2.5`, `10`.
    static func seconds(nanoseconds: UInt64) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if rest == 0 { return "\(whole)" }
        let digits = String(rest)
        let padded = String(repeating: "0", count: 9 - digits.count) + digits
        return "\(whole).\(String(padded.reversed().drop { $0 == "0" }.reversed()))"
    }
}
