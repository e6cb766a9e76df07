/// The lifecycle of one container at work: one queue of events, drained by one loop, which performs all effects of an event
/// before it takes the next.
///
/// Whoever tells an event is not called back meanwhile: the queue is drained by what `soon` schedules. So a handler of an
/// effect may tell what became of it at once, the order of effects is that of `Lifecycle`, and whatever told of an event (a
/// watch, a timer, a call) may be freed by its effects, as its own function has returned.
package final class EventQueue {
    /// What has happened, as a call of one of the lifecycle's methods.
    package typealias Event = (inout Lifecycle) -> [Effect]

    package private(set) var lifecycle: Lifecycle
    private var waiting: [(event: Event, then: () -> Void)] = []
    private var isScheduled = false
    private let soon: (@escaping () -> Void) -> Void
    private let perform: (Effect) -> Void
    private let settled: () -> Void

    /// - Parameters:
    ///   - soon: calls back when the present handler has returned.
    ///   - perform: performs one effect.
    ///   - settled: called when the last event that waited has been dealt with.
    package init(
        _ lifecycle: Lifecycle, soon: @escaping (@escaping () -> Void) -> Void, perform: @escaping (Effect) -> Void,
        settled: @escaping () -> Void
    ) {
        self.lifecycle = lifecycle
        self.soon = soon
        self.perform = perform
        self.settled = settled
    }

    /// - Parameter then: called when the effects of the event have been performed.
    package func tell(_ event: @escaping Event, then: @escaping () -> Void = {}) {
        waiting.append((event, then))
        if isScheduled { return }
        isScheduled = true
        soon { [self] in drain() }
    }

    private func drain() {
        while !waiting.isEmpty {
            let (event, then) = waiting.removeFirst()
            var next = lifecycle
            let effects = event(&next)
            lifecycle = next
            for effect in effects { perform(effect) }
            then()
        }
        isScheduled = false
        settled()
    }
}
