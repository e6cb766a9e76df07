import Testing

@testable import Lifecycle

@Suite struct EventQueueTests {
    /// A watch as the shim has some: its own function tells of an arrival, and an effect of that frees it.
    private final class Watch {
        let arrived: () -> Void
        let freed: (Bool) -> Void
        private var isInside = false

        init(arrived: @escaping () -> Void, freed: @escaping (Bool) -> Void) {
            (self.arrived, self.freed) = (arrived, freed)
        }

        func look() {
            isInside = true
            arrived()
            isInside = false
        }

        func end() { freed(isInside) }
    }

    private final class Harness {
        var scheduled: [() -> Void] = []
        var performed: [Effect] = []
        var settled = 0
        var handler: (Effect) -> Void = { _ in }
        private(set) lazy var queue = EventQueue(
            Lifecycle(policy: Policy(scaleDownAfter: 50_000_000, ways: .freeze)),
            soon: { [unowned self] in scheduled.append($0) },
            perform: { [unowned self] in
                performed.append($0)
                handler($0)
            }, settled: { [unowned self] in settled += 1 })

        func run() { while !scheduled.isEmpty { scheduled.removeFirst()() } }

        func fallAsleep() {
            queue.tell { $0.started(at: 0) }
            queue.tell { $0.looked(at: 100_000_000, ports: [80], lastActivity: 0) }
            run()
            performed = []
        }
    }

    @Test func whatTellsOfAnArrivalIsNotFreedInsideItsOwnFunction() {
        let harness = Harness()
        harness.fallAsleep()
        var wasInside: Bool?
        let watch = Watch(arrived: { harness.queue.tell { $0.connectionHeld() } }, freed: { wasInside = $0 })
        harness.handler = { if $0 == .thaw { watch.end() } }
        watch.look()
        #expect(wasInside == nil)
        harness.run()
        #expect(wasInside == false)
    }

    @Test func allEffectsOfAnEventComeBeforeThoseOfItsAnswer() {
        let harness = Harness()
        harness.fallAsleep()
        harness.queue.tell { $0.request(1) }
        // The handler of the thaw is done at once, and the one whose turn has come asks for more.
        harness.handler = { effect in
            if effect == .thaw { harness.queue.tell { $0.thawed(at: 0) } }
            if effect == .proceed(1) { harness.queue.tell { $0.request(2) } }
        }
        harness.run()
        #expect(harness.performed == [.thaw, .release, .proceed(1), .look(after: 50_000_000), .proceed(2)])
    }

    @Test func itSettlesOnceForAllThatHasHappened() {
        let harness = Harness()
        harness.fallAsleep()
        let before = harness.settled
        var order: [String] = []
        harness.queue.tell {
            $0.request(1)
        } then: {
            order.append("first")
        }
        harness.queue.tell {
            $0.request(2)
        } then: {
            order.append("second")
        }
        #expect(order == [] && harness.performed == [])
        harness.run()
        #expect(order == ["first", "second"])
        #expect(harness.settled == before + 1)
    }
}
