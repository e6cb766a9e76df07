import StatusAPI
import Testing

@testable import NodeDaemon

@Suite struct MetricsTests {
    private func report(_ change: (inout ContainerReport) -> Void = { _ in }) -> ContainerReport {
        ContainerReport {
            $0.id = "0123"
            $0.podNamespace = "shop"
            $0.podName = "web-1"
            $0.containerName = "nginx"
            $0.state = .asleep
            $0.since = .init(seconds: 1000, nanoseconds: 0)
            $0.imageBytes = 300
            $0.memoryGivenBack = 1700
            change(&$0)
        }
    }

    private let labels = "container=\"nginx\",pod=\"web-1\",namespace=\"shop\""

    private func lines(_ reports: [ContainerReport]) -> [String] {
        ContainerMetrics(reports).text.split(separator: "\n").map(String.init)
    }

    @Test func aContainerAsleep() {
        let lines = lines([report()])
        #expect(lines.contains("# TYPE zeropod_running gauge"))
        #expect(lines.contains("zeropod_running{\(labels)} 0"))
        #expect(lines.contains("zeropod_memory_given_back_bytes{\(labels)} 1700"))
        #expect(lines.contains("zeropod_image_bytes{\(labels)} 300"))
        #expect(lines.contains("zeropod_checkpoint_errors_total{\(labels)} 0"))
        // Zero before the first wake, so that a rate sees it.
        #expect(lines.contains("zeropod_wake_duration_seconds_bucket{\(labels),le=\"+Inf\"} 0"))
        #expect(lines.contains("zeropod_wake_duration_seconds_count{\(labels)} 0"))
        #expect(!lines.contains { $0.hasPrefix("zeropod_last_restore_time{") })
    }

    @Test func aFrozenContainerHasItsProcesses() {
        let lines = lines([
            report {
                $0.state = .frozen
                $0.freezes = 3
            }
        ])
        #expect(lines.contains("zeropod_running{\(labels)} 1"))
        #expect(lines.contains("zeropod_frozen{\(labels)} 1"))
        #expect(lines.contains("zeropod_freezes_total{\(labels)} 3"))
        #expect(lines.contains("zeropod_memory_given_back_bytes{\(labels)} 1700"))
    }

    @Test func histogramsAreThoseOfTheShim() {
        let lines = lines([
            report {
                $0.restores = Durations {
                    $0.count = 3
                    $0.sumNanoseconds = 2_612_000_000
                    $0.limitMilliseconds = [5, 25, 2500, 10_000]
                    $0.cumulative = [1, 2, 2, 3]
                }
                $0.lastRestore = .init(seconds: 1_700_000_000, nanoseconds: 5)
            }
        ])
        let name = "zeropod_restore_duration_seconds"
        #expect(
            lines.filter { $0.hasPrefix(name) } == [
                "\(name)_bucket{\(labels),le=\"0.005\"} 1", "\(name)_bucket{\(labels),le=\"0.025\"} 2",
                "\(name)_bucket{\(labels),le=\"2.5\"} 2", "\(name)_bucket{\(labels),le=\"10\"} 3",
                "\(name)_bucket{\(labels),le=\"+Inf\"} 3", "\(name)_sum{\(labels)} 2.612", "\(name)_count{\(labels)} 3",
            ])
        #expect(lines.contains("zeropod_last_restore_time{\(labels)} 1700000000000000005"))
    }

    /// Each way from zero on, so that a rate sees the first.
    @Test func wakesAreCountedByWhatWoke() {
        let woken = report { report in
            report.wakesByWay = [WakeCount { ($0.way, $0.count) = ("connection", 3) }]
        }
        let found = lines([woken]).filter { $0.hasPrefix("zeropod_wakes_total{") }
        #expect(found.count == WakeCount.ways.count)
        #expect(found.contains("zeropod_wakes_total{\(labels),reason=\"connection\"} 3"))
        #expect(found.contains("zeropod_wakes_total{\(labels),reason=\"exec\"} 0"))
    }

    @Test func reasonsAreLabels() {
        let lines = lines([
            report {
                $0.state = .running
                $0.reasons = ["it is \"paused\"", "a\\b"]
            }
        ])
        #expect(lines.contains("zeropod_running{\(labels)} 1"))
        #expect(lines.contains("zeropod_awake_reason{\(labels),reason=\"it is \\\"paused\\\"\"} 1"))
        #expect(lines.contains("zeropod_awake_reason{\(labels),reason=\"a\\\\b\"} 1"))
        #expect(lines.contains("zeropod_memory_given_back_bytes{\(labels)} 0"))
    }

    /// Two samples with the same labels make Prometheus refuse the page.
    @Test func theSuccessorOfAContainerHasItsLabels() {
        let ended = report {
            $0.id = "a"
            $0.state = .exited
            $0.since = .init(seconds: 9000, nanoseconds: 0)
        }
        for order in [[ended, report()], [report(), ended]] {
            #expect(lines(order).filter { $0.hasPrefix("zeropod_running{") } == ["zeropod_running{\(labels)} 0"])
            #expect(lines(order).contains("zeropod_image_bytes{\(labels)} 300"))
        }
    }

    @Test func containersWithoutKubernetesHaveTheirID() {
        let lines = lines([
            ContainerReport {
                $0.id = "x"
                $0.namespace = "default"
                $0.state = .running
            }
        ])
        #expect(lines.contains("zeropod_running{container=\"x\",pod=\"\",namespace=\"default\"} 1"))
    }

    @Test(
        arguments: [
            (0, "0"), (1, "0.000000001"), (5_000_000, "0.005"), (1_000_000_000, "1"), (2_500_000_000, "2.5"),
            (12_000_000_034, "12.000000034"),
        ] as [(UInt64, String)])
    func secondsAreDecimal(_ nanoseconds: UInt64, _ text: String) {
        #expect(MetricFamily.seconds(nanoseconds: nanoseconds) == text)
    }
}
