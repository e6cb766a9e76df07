import StatusAPI
import Testing

@testable import NodeDaemon

/// The API server and the node's disk as far as scaling needs them.
private struct Trial {
    var pod: NodeDaemon.Pod
    var state = ContainerState.running
    var scaling = RequestScaling(asleep: ["cpu": "1m", "memory": "1Ki"])
    var seen: [String: RequestScaling.Seen] = [:]
    var kept = OriginalRequests()

    init(_ requests: [String: String], limits: [String: String] = [:]) {
        pod = Pod()
        pod.qualityOfService = "Burstable"
        pod.containers = [.init(name: "web", requests: requests, limits: limits)]
    }

    var requests: [String: String] { pod.containers[0].requests }

    private var report: ContainerReport {
        ContainerReport {
            $0.containerName = "web"
            $0.state = state
        }
    }

    mutating func next() -> RequestScaling.Step { scaling.step(for: pod, [report], kept, &seen) }

    func isNothing(_ step: RequestScaling.Step) -> Bool { step.originals == kept && step.requests.isEmpty }

    /// Performs a step: what is kept first, alone, as if the daemon died then.
    mutating func perform(_ step: RequestScaling.Step) {
        if step.originals != kept {
            kept = step.originals
            return
        }
        for (resource, value) in step.requests["web"] ?? [:] { pod.containers[0].requests[resource] = value }
    }

    /// Until nothing differs; gives the number of writes.
    @discardableResult
    mutating func settle() -> Int {
        for writes in 0..<10 {
            let step = next()
            if isNothing(step) { return writes }
            perform(step)
        }
        Issue.record("it never comes to rest")
        return 10
    }

    mutating func restartDaemon() { seen = [:] }
}

@Suite struct RequestScalingTests {
    private let usual = ["cpu": "250m", "memory": "64Mi", "ephemeral-storage": "1Gi"]

    /// Before it first sleeps, or while it does: then they come back.
    @Test func anAnnotationKeepsRequests() {
        var trial = Trial(usual)
        trial.state = .asleep
        trial.settle()
        #expect(trial.requests["cpu"] == "1m")
        trial.pod.annotations["zeropod.ctrox.dev/in-place-scaling"] = "false"
        trial.settle()
        #expect(trial.requests == usual && trial.kept == OriginalRequests())
        #expect(trial.settle() == 0)
    }

    @Test func requestsFollowTheSleep() {
        var trial = Trial(usual)
        #expect(trial.settle() == 0)
        trial.state = .asleep
        #expect(trial.settle() == 2)
        #expect(trial.requests == ["cpu": "1m", "memory": "1Ki", "ephemeral-storage": "1Gi"])
        #expect(trial.kept["cpu", "web"] == .init(original: "250m", asleep: "1m"))
        trial.state = .running
        #expect(trial.settle() == 2)
        #expect(trial.requests == usual)
        #expect(trial.kept.isEmpty)
    }

    /// Whenever the daemon dies, its successor does what is left.
    @Test(arguments: 0...4) func theDaemonMayDieBetweenAnyTwoWrites(_ writes: Int) {
        var trial = Trial(usual)
        for (count, state) in [(writes, ContainerState.asleep), (max(0, writes - 2), .running)] {
            trial.state = state
            for _ in 0..<count { trial.perform(trial.next()) }
            trial.restartDaemon()
            trial.settle()
            #expect(trial.requests["cpu"] == (state == .asleep ? "1m" : "250m"))
        }
        #expect(trial.requests == usual)
        #expect(trial.kept.isEmpty)
    }

    @Test func inBetweenNothingIsDone() {
        var trial = Trial(usual)
        for state in [ContainerState.starting, .checkpointing, .restoring, .unknown] {
            trial.state = state
            #expect(trial.settle() == 0)
        }
    }

    @Test(arguments: ["100m", "250m"]) func whatSomebodySetsWhileItSleepsStays(_ choice: String) {
        var trial = Trial(usual)
        trial.state = .asleep
        trial.settle()
        trial.pod.containers[0].requests["cpu"] = choice
        trial.settle()
        #expect(trial.requests["cpu"] == choice)
        #expect(trial.requests["memory"] == "1Ki", "the other resource is none of theirs")
        trial.state = .running
        trial.settle()
        #expect(trial.requests["cpu"] == choice)
        #expect(trial.requests["memory"] == "64Mi")
        #expect(trial.kept.isEmpty)
        // It is the original from then on.
        trial.state = .asleep
        trial.settle()
        #expect(trial.requests["cpu"] == "1m")
        trial.state = .running
        trial.settle()
        #expect(trial.requests["cpu"] == choice)
    }

    @Test func whatSomebodySetBeforeTheDaemonSawTheWakeStays() {
        var trial = Trial(usual)
        trial.state = .asleep
        trial.settle()
        trial.pod.containers[0].requests["cpu"] = "3"
        trial.restartDaemon()
        trial.state = .running
        trial.settle()
        #expect(trial.requests["cpu"] == "3")
        #expect(trial.kept.isEmpty)
    }

    @Test func flagsMayChangeWhileItSleeps() {
        var trial = Trial(usual)
        trial.state = .asleep
        trial.settle()
        trial.restartDaemon()
        trial.scaling = RequestScaling(asleep: ["cpu": "5m", "memory": "1Mi"])
        #expect(trial.settle() == 0)
        trial.state = .running
        trial.settle()
        #expect(trial.requests == usual)
        // Switched off: what sleeps gets its requests back.
        trial.state = .asleep
        trial.settle()
        #expect(trial.requests["cpu"] == "5m")
        trial.scaling = RequestScaling(asleep: [:])
        trial.settle()
        #expect(trial.requests == usual)
    }

    @Test func nothingIsRaisedAndNothingAdded() {
        var trial = Trial(["cpu": "1m", "memory": "512"])
        trial.state = .asleep
        #expect(trial.settle() == 0)
        trial = Trial([:])
        trial.state = .asleep
        #expect(trial.settle() == 0)
    }

    @Test func aLimitThatWasLoweredMeanwhileHolds() {
        var trial = Trial(["cpu": "2"], limits: ["cpu": "4"])
        trial.state = .asleep
        trial.settle()
        trial.pod.containers[0].limits["cpu"] = "500m"
        trial.state = .running
        trial.settle()
        #expect(trial.requests["cpu"] == "500m")
        #expect(trial.kept.isEmpty)
    }

    @Test func resourcesWhoseChangeRestartsTheContainerStay() {
        var trial = Trial(usual)
        trial.pod.containers[0].restartedBy = ["memory"]
        trial.state = .asleep
        trial.settle()
        #expect(trial.requests["cpu"] == "1m" && trial.requests["memory"] == "64Mi")
    }

    /// Whoever may annotate a pod must not have its requests raised by a daemon that may do so.
    @Test func anAnnotationRaisesNothing() {
        for state in [ContainerState.running, .asleep] {
            var trial = Trial(["cpu": "1m", "memory": "1Ki"])
            trial.pod.annotations["zeropod.ctrox.dev/cpu-requests"] = #"{"web":"64","web/asleep":"1m"}"#
            trial.pod.annotations["zeropod.ctrox.dev/memory-requests"] = #"{"web":"999999999999999999Ei"}"#
            trial.state = state
            #expect(trial.settle() == 0)
            #expect(trial.requests == ["cpu": "1m", "memory": "1Ki"])
        }
    }

    @Test func somePodsAreLeftAlone() {
        var trial = Trial(usual)
        trial.state = .asleep
        trial.pod.qualityOfService = "Guaranteed"
        #expect(trial.settle() == 0)
        #expect(RequestScaling.obstacle(trial.pod)?.contains("Guaranteed") == true)
        trial.pod.qualityOfService = "Burstable"
        trial.pod.hasOwnResources = true
        #expect(trial.settle() == 0)
        trial.pod.hasOwnResources = false
        trial.pod.annotations["kubernetes.io/config.mirror"] = "x"
        #expect(trial.settle() == 0)
    }

    @Test(arguments: [
        ("1", "1000m", true), ("0.1", "100m", true), ("64Mi", "67108864", true), ("1e3", "1k", true),
        ("1Ki", "1k", false),
        ("1.5", "1500m", true), ("100m", "99m", false),
    ]) func quantitiesAreCompared(_ left: String, _ right: String, _ areEqual: Bool) throws {
        let (left, right) = (try #require(Quantity(left)), try #require(Quantity(right)))
        #expect((left == right) == areEqual)
        if !areEqual { #expect(left > right) }
    }

    @Test(arguments: [
        "", "m", "-1", "1.2.3", "1 Mi", "1mi", "1e", "1e99", "9999999999999999999", ".", "1Mix",
        // More than can be counted: these are texts that tenants choose.
        "999999999999999999Ei", "999999999999999999E", "999999999999999999e12",
    ])
    func whatIsNoQuantity(_ text: String) { #expect(Quantity(text) == nil) }
}
