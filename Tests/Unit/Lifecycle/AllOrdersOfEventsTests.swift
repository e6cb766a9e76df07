import SplitMix
import Testing

@testable import Lifecycle

/// Tries every order of events, and checks each effect against a model of the world outside. What runs is the queue that
/// ships; the world answers an effect at once, from within its handler, or later.
@Suite struct AllOrdersOfEventsTests {
    /// What is outside of the lifecycle: it obeys the effects, and tells which events can happen next.
    struct World: Hashable {
        var isHolding = false
        var isDumping = false
        var isRestoring = false
        /// Of a restore: its processes are about to run.
        var isResuming = false
        var hasProcesses = false
        var isFrozen = false
        var isThawing = false
        var hasImages = false
        var hasExited = false
        var isPaused = false
        var requested: [Lifecycle.Work: Lifecycle.Need] = [:]
        var proceeding: Set<Lifecycle.Work> = []
        var requests: Lifecycle.Work = 0
        var mostRequests: Lifecycle.Work = 2
        var broken: String?

        mutating func perform(_ effect: Effect) {
            switch effect {
            case .look, .declare: expect(hasProcesses && !isFrozen, "looks at a container without running processes")
            case .hold:
                expect(!isHolding, "holds twice")
                isHolding = true
            case .release:
                expect(isHolding && !isDumping && !isFrozen, "releases what it does not hold, or during a sleep")
                expect(!isRestoring || isResuming && !isPaused, "releases before the processes may run")
                isHolding = false
            case .refuseConnections:
                expect(isHolding, "refuses what it does not hold")
                isHolding = false
            case .checkpoint:
                expect(isHolding && hasProcesses && !isDumping && !isFrozen, "dumps without holding the traffic")
                isDumping = true
            case .freeze:
                expect(isHolding && hasProcesses && !isDumping && !isFrozen, "freezes without holding the traffic")
                isFrozen = true
            case .thaw:
                expect(isFrozen && isHolding, "thaws what is not frozen")
                expect(proceeding.isEmpty, "thaws what is being changed")
                expect(!isPaused || requested.values.contains(.processesThoughPaused), "thaws what is paused")
                (isFrozen, isThawing) = (false, true)
            case .giveUpCheckpoint: expect(isDumping, "gives up a dump that is not under way")
            case .restore:
                expect(hasImages && isHolding && !isRestoring && !hasProcesses, "restores what is not asleep")
                expect(proceeding.isEmpty, "restores what is being changed")
                expect(!isPaused || requested.values.contains(.processesThoughPaused), "restores what is paused")
                isRestoring = true
            case .giveUpRestore: expect(isRestoring, "gives up a restore that is not under way")
            case .endProcesses:
                expect(hasExited && hasProcesses, "ends processes of a container that has not ended")
                hasProcesses = false
            case .asleep: expect(hasImages && !hasProcesses, "reports a sleep that is none")
            case .keepImages: expect(hasImages && !isRestoring, "keeps images that are not there, or in use")
            case .awake: expect(hasProcesses, "reports a wake that is none")
            case .proceed(let work):
                let need = requested.removeValue(forKey: work)
                expect(need != nil, "answers a request twice")
                expect(!isDumping && !isRestoring && !isThawing, "proceeds in the middle of a change")
                expect(hasProcesses && !isFrozen || need == .noChange, "proceeds without a running container")
                proceeding.insert(work)
            case .refuse(let work): expect(requested.removeValue(forKey: work) != nil, "answers a request twice")
            case .exited:
                expect(!hasExited, "exits twice")
                expect(!isHolding, "leaves traffic held behind")
                hasExited = true
                (hasProcesses, isFrozen, isThawing) = (false, false, false)
            }
        }

        var isChanging: Bool { isDumping || isRestoring || isThawing }
        var isRunning: Bool { hasProcesses && !isFrozen && !isChanging }

        mutating func expect(_ condition: Bool, _ complaint: String) {
            if !condition && broken == nil { broken = complaint }
        }
    }

    enum Event: CaseIterable {
        case start, look, lookDuringRequest, sleepRequest, connection, finish, pause, resume, exit, kill, remove
        case request, requestThoughPaused, change
        case dumpDone, dumpGivenUp, dumpFailed, dumpImpossible, resuming, restoreDone, restoreFailed
        case dumpRefused, thawed
    }

    /// The container, as the shim has it: a queue, and what performs effects.
    private final class Container {
        var world: World
        /// Whether what an effect asked for is over, and told, before its handler returns.
        private let answersAtOnce: Bool
        private(set) var hasSettled = false
        private var scheduled: [() -> Void] = []
        private lazy var queue = EventQueue(
            first, soon: { [unowned self] in scheduled.append($0) }, perform: { [unowned self] in perform($0) },
            settled: { [unowned self] in hasSettled = true })
        private let first: Lifecycle

        init(_ lifecycle: Lifecycle, _ world: World, answersAtOnce: Bool) {
            (first, self.world, self.answersAtOnce) = (lifecycle, world, answersAtOnce)
        }

        var lifecycle: Lifecycle { queue.lifecycle }

        /// Tells an event, and runs until nothing is left to do.
        func run(_ event: @escaping EventQueue.Event) {
            queue.tell(event)
            while !scheduled.isEmpty { scheduled.removeFirst()() }
        }

        private func perform(_ effect: Effect) {
            world.perform(effect)
            if !answersAtOnce { return }
            switch effect {
            case .checkpoint:
                answer { [self] in
                    world.isDumping = false
                    return $0.checkpointEnded(.failed("x"), at: 0)
                }
            case .freeze:
                answer { [self] in
                    world.isFrozen = false
                    return $0.freezeFailed("x", at: 0)
                }
            case .thaw:
                answer { [self] in
                    world.isThawing = false
                    return $0.thawed(at: 0)
                }
            case .restore:
                answer { [self] in
                    world.isRestoring = false
                    return $0.restoreFailed()
                }
            case .proceed(let work):
                answer { [self] in
                    world.proceeding.remove(work)
                    return $0.finished(work, at: 0)
                }
            default: break
            }
        }

        private func answer(_ event: @escaping EventQueue.Event) {
            let before = lifecycle
            queue.tell(event)
            world.expect(lifecycle == before, "takes an event in the middle of another's effects")
        }
    }

    /// Applies an event if it can happen now; nil if it cannot.
    private func after(
        _ event: Event, _ lifecycle: Lifecycle, _ world: World, answersAtOnce: Bool
    ) -> (Lifecycle, World)? {
        guard let (next, effects, outside) = taken(event, lifecycle, world) else { return nil }
        let container = Container(lifecycle, outside, answersAtOnce: answersAtOnce)
        container.run { lifecycle in
            lifecycle = next
            return effects
        }
        container.world.expect(container.hasSettled, "has not settled")
        check(container.lifecycle, &container.world)
        return (container.lifecycle, container.world)
    }

    /// What a lifecycle makes of an event, and the world as the event has left it.
    private func taken(_ event: Event, _ lifecycle: Lifecycle, _ world: World) -> (Lifecycle, [Effect], World)? {
        var (next, outside) = (lifecycle, world)
        var effects: [Effect] = []
        switch event {
        case .start:
            guard next.state == .starting else { return nil }
            outside.hasProcesses = true
            effects = next.started(at: 0)
        case .look:
            guard outside.isRunning else { return nil }
            effects = next.looked(at: 100_000_000, ports: [80], lastActivity: 0)
        case .lookDuringRequest:
            guard outside.isRunning else { return nil }
            effects = next.looked(at: 100_000_000, ports: [80], lastActivity: 0, unansweredSince: 0)
            let sleeps = effects.contains(.checkpoint) || effects.contains(.freeze)
            outside.expect(!outside.isHolding && !sleeps, "sleeps during a request")
        case .sleepRequest:
            guard let answer = next.sleepRequested(at: 0) else { return nil }
            effects = answer
        case .connection:
            guard outside.isHolding else { return nil }
            effects = next.connectionHeld()
        case .request, .requestThoughPaused, .change:
            // Two, and not for ever: the numbers would make every state a new one.
            guard outside.requests < outside.mostRequests, next.state != .starting else { return nil }
            outside.requests += 1
            let need: Lifecycle.Need =
                event == .request ? .processes : event == .change ? .noChange : .processesThoughPaused
            outside.requested[outside.requests] = need
            effects = next.request(outside.requests, need)
            if need == .noChange {
                outside.expect(
                    effects.allSatisfy { ![.restore, .thaw, .giveUpCheckpoint].contains($0) }, "wakes for a change")
            }
        case .finish:
            guard let work = outside.proceeding.min() else { return nil }
            outside.proceeding.remove(work)
            effects = next.finished(work, at: 0)
        case .pause:
            guard !outside.isChanging, !outside.hasExited else { return nil }
            outside.isPaused = true
            next.paused()
        case .resume:
            guard !outside.isChanging, !outside.hasExited else { return nil }
            outside.isPaused = false
            effects = next.resumed(at: 0)
        case .exit:
            guard outside.hasProcesses else { return nil }
            (outside.hasProcesses, outside.isFrozen) = (false, false)
            effects = next.initExited(status: 1)
        case .kill:
            guard let answer = next.killedByForce() else { return nil }
            effects = answer
        case .remove:
            guard next.state == .starting else { return nil }
            effects = next.removed()
        case .dumpDone:
            guard outside.isDumping else { return nil }
            outside.isDumping = false
            (outside.hasImages, outside.hasProcesses) = (true, false)
            effects = next.checkpointEnded(.done, at: 0)
        case .dumpGivenUp, .dumpFailed, .dumpImpossible:
            guard outside.isDumping else { return nil }
            outside.isDumping = false
            let outcome: Lifecycle.CheckpointOutcome =
                event == .dumpFailed ? .failed("x") : event == .dumpGivenUp ? .givenUp : .impossible("x")
            effects = next.checkpointEnded(outcome, at: 0)
        case .resuming:
            guard outside.isRestoring, !outside.isResuming else { return nil }
            outside.isResuming = true
            effects = next.resuming()
        case .restoreDone:
            guard outside.isRestoring else { return nil }
            (outside.isRestoring, outside.isResuming) = (false, false)
            (outside.hasImages, outside.hasProcesses) = (false, true)
            effects = next.restored(at: 0)
        case .restoreFailed:
            guard outside.isRestoring else { return nil }
            (outside.isRestoring, outside.isResuming) = (false, false)
            effects = next.restoreFailed()
        case .dumpRefused:
            guard outside.isDumping else { return nil }
            outside.isDumping = false
            effects = next.checkpointEnded(.refused("x"), at: 0)
        case .thawed:
            guard outside.isThawing else { return nil }
            outside.isThawing = false
            effects = next.thawed(at: 0)
        }
        return (next, effects, outside)
    }

    private func check(_ next: Lifecycle, _ outside: inout World) {
        outside.expect(!(outside.hasExited && outside.hasProcesses && !outside.isDumping), "leaves processes behind")
        if next.state == .exited { outside.expect(outside.requested.isEmpty, "leaves a request without an answer") }
        // Nobody may wait for ever: asleep only for a pause to end, or for a change.
        let waits = outside.requested.values.contains { $0 != .noChange }
        if next.state.isAsleep && waits {
            outside.expect(outside.isPaused || !outside.proceeding.isEmpty, "sleeps though it is wanted")
        }
    }

    private static let policies = [
        Policy(scaleDownAfter: 50_000_000), Policy(scaleDownAfter: 50_000_000, ways: .checkpoint),
        Policy(scaleDownAfter: 50_000_000, ways: .freeze),
        Policy(scaleDownAfter: 50_000_000, standingReasons: [.sharedProcesses]),
    ]

    @Test(arguments: policies) func noOrderOfEventsBreaksTheRules(_ policy: Policy) {
        struct Situation: Hashable {
            let lifecycle: Lifecycle
            let world: World
        }
        let first = Situation(lifecycle: Lifecycle(policy: policy), world: World())
        var seen: [Situation: [Event]] = [first: []]
        var queue = [first]
        while let situation = queue.popLast() {
            let path = seen[situation] ?? []
            for (event, atOnce) in Event.allCases.flatMap({ [($0, false), ($0, true)] }) {
                guard
                    let (lifecycle, world) = after(
                        event, situation.lifecycle, situation.world, answersAtOnce: atOnce)
                else { continue }
                if let complaint = world.broken {
                    Issue.record("\(complaint), after \(path + [event])")
                    return
                }
                let next = Situation(lifecycle: lifecycle, world: world)
                if seen[next] == nil {
                    seen[next] = path + [event]
                    queue.append(next)
                }
            }
        }
        // Enough to know that the search went somewhere.
        #expect(seen.count > 100)
        let mayCheckpoint = policy.ways.contains(.checkpoint) && policy.standingReasons.isEmpty
        #expect(seen.keys.contains { $0.lifecycle.state == .asleep } == mayCheckpoint)
        #expect(seen.keys.contains { $0.lifecycle.state == .checkpointing(wanted: true) } == mayCheckpoint)
        #expect(seen.keys.contains { $0.lifecycle.state == .frozen } == policy.ways.contains(.freeze))
    }

    /// With more requests than all orders can be tried of, and lives as long as they get.
    @Test(arguments: policies, [1, 2, 3, 4] as [UInt64])
    func noLongLifeBreaksTheRules(_ policy: Policy, _ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var sleeps = 0
        for _ in 0..<40 {
            var situation = (Lifecycle(policy: policy), World())
            situation.1.mostRequests = 1000
            var path: [Event] = []
            for _ in 0..<500 where situation.0.state != .exited {
                let event = Event.allCases.randomElement(using: &random) ?? .look
                // An end would come too soon, and what is busy all the time, or was refused, sleeps no more.
                let rare: [Event] = [.exit, .kill, .remove, .dumpImpossible, .dumpRefused]
                if rare.contains(event), Int.random(in: 0..<20, using: &random) > 0 { continue }
                let isRequest = [.request, .requestThoughPaused, .change].contains(event)
                if isRequest, Int.random(in: 0..<6, using: &random) > 0 { continue }
                guard
                    let next = after(
                        event, situation.0, situation.1, answersAtOnce: Int.random(in: 0..<8, using: &random) == 0)
                else { continue }
                path.append(event)
                if next.0.state.isAsleep && !situation.0.state.isAsleep { sleeps += 1 }
                situation = next
                if let complaint = situation.1.broken {
                    Issue.record("\(complaint), after \(path) of seed \(seed)")
                    return
                }
            }
        }
        // Enough to know that the lives were some.
        #expect(sleeps > 10)
    }
}
