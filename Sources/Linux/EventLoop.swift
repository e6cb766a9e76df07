import CLinux
import Glibc

/// The one thread that everything of the shim runs on, waiting in epoll_wait(2).
///
/// Not `Sendable`: handlers run on the thread that calls `run`, and may only be set from it. Other threads reach it
/// through a `Remote`. With no timer set and nothing ready it sleeps in the kernel without a time-out.
package final class EventLoop {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let readable = Interest(rawValue: EPOLLIN.rawValue)
        package static let writable = Interest(rawValue: EPOLLOUT.rawValue)
        /// A file of the kernel's has changed since it was last read.
        package static let urgent = Interest(rawValue: EPOLLPRI.rawValue)
        /// Told of once, not as long as it is so (EPOLLET).
        package static let edge = Interest(rawValue: 1 << 31)
        /// The peer closed, or closed its sending half (only in what a handler is told; the first cannot be masked).
        package static let hangUp = Interest(rawValue: EPOLLHUP.rawValue | EPOLLRDHUP.rawValue)
        package static let error = Interest(rawValue: EPOLLERR.rawValue)
    }

    package typealias Handler = (Interest) -> Void

    private struct Watch {
        let generation: UInt32
        let handler: Handler
    }

    /// A way into the loop for other threads.
    package typealias Remote = Inbox<EventLoop>

    private let epoll: Descriptor
    package let remote: Remote
    private var watches: [Int32: Watch] = [:]
    private var generation: UInt32 = 0
    private var timers = TimerQueue()
    private var soon: [() -> Void] = []
    private var results: [UInt64: (any Sendable) -> Void] = [:]
    private var nextResult: UInt64 = 0
    private var stopped = false
    private let clock: () -> Instant

    /// - Parameter clock: by which timers come due.
    package init(clock: @escaping () -> Instant = { .now }) throws(SystemError) {
        self.clock = clock
        epoll = Descriptor(owning: try retrying("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        remote = try Remote()
        try watch(remote.event, .readable) { [unowned self] _ in
            for body in remote.takeAll() { body(self) }
        }
    }

    /// Runs until `stop`, on the thread that set the loop up. It may be run again afterwards.
    package func run() throws(SystemError) {
        defer { stopped = false }
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while !stopped { try runRound(&events) }
    }

    /// Runs until `isDone`, which is asked before each round. May be called again.
    package func run(until isDone: () -> Bool) throws(SystemError) {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while !isDone() { try runRound(&events) }
    }

    private func runRound(_ events: inout [epoll_event]) throws(SystemError) {
        let count = try retrying("epoll_wait") {
            epoll_wait(epoll.rawValue, &events, Int32(events.count), waitMilliseconds())
        }
        for event in events[..<Int(count)] {
            let number = Int32(truncatingIfNeeded: event.data.u64)
            let generation = UInt32(truncatingIfNeeded: event.data.u64 >> 32)
            // An earlier handler of this round may have closed the descriptor, and another may have its number.
            guard let watch = watches[number], watch.generation == generation else { continue }
            watch.handler(Interest(rawValue: event.events))
        }
        let now = clock()
        while let body = timers.takeNext(dueAt: now) { body() }
        runSoon()
    }

    /// Makes `run` return at the end of this round.
    package func stop() {
        stopped = true
    }

    private func runSoon() {
        while !soon.isEmpty {
            let bodies = soon
            soon.removeAll()
            for body in bodies { body() }
        }
    }

    private func waitMilliseconds() -> Int32 {
        if stopped || !soon.isEmpty { return 0 }
        guard let deadline = timers.next else { return -1 }
        // Rounded up: a timer must not be due a fraction of a millisecond after the wait ends.
        return Int32(clamping: (deadline.since(now).nanoseconds + 999_999) / 1_000_000)
    }

    // MARK: Descriptors

    /// Calls `handler` whenever the descriptor is ready (level-triggered). The caller goes on owning it and must call
    /// `unwatch` before it closes it.
    package func watch(
        _ descriptor: borrowing Descriptor, _ interest: Interest, _ handler: @escaping Handler
    ) throws(SystemError) {
        try watch(descriptor.rawValue, interest, handler)
    }

    package func watch(_ number: Int32, _ interest: Interest, _ handler: @escaping Handler) throws(SystemError) {
        generation &+= 1
        try control(EPOLL_CTL_ADD, number, interest, generation)
        watches[number] = Watch(generation: generation, handler: handler)
    }

    /// Changes what a watched descriptor is watched for. An empty interest leaves only errors and hang-ups.
    package func rewatch(_ number: Int32, _ interest: Interest) throws(SystemError) {
        guard let watch = watches[number] else { throw SystemError("rewatch", "descriptor \(number)", code: EBADF) }
        try control(EPOLL_CTL_MOD, number, interest, watch.generation)
    }

    /// Stops watching. Does nothing if the descriptor is not watched.
    package func unwatch(_ number: Int32) {
        guard watches.removeValue(forKey: number) != nil else { return }
        _ = epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, number, nil)
    }

    private func control(
        _ operation: Int32, _ number: Int32, _ interest: Interest, _ generation: UInt32
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: number))
        try retrying("epoll_ctl", "descriptor \(number)") { epoll_ctl(epoll.rawValue, operation, number, &event) }
    }

    // MARK: Time

    /// Runs `body` once, after `span`.
    @discardableResult
    package func after(_ span: Instant.Span, _ body: @escaping () -> Void) -> Timer {
        timers.add(at: now + span, body)
    }

    /// Cancels a timer. Does nothing if it has fired.
    package func cancel(_ timer: Timer) {
        timers.cancel(timer)
    }

    /// The present, by the clock of its timers.
    package var now: Instant { clock() }

    /// When the loop will wake up by itself; nil: not at all, as it has to be while containers sleep.
    package var nextTimer: Instant? { timers.next }

    /// Runs `body` at the end of this round, before the loop waits again.
    package func soon(_ body: @escaping () -> Void) {
        soon.append(body)
    }

    // MARK: Other threads

    /// Runs `work`, which may block, on a thread of its own, and then `then` with its result on this loop.
    package func onThread<Result: Sendable>(
        _ name: String, _ work: @escaping @Sendable () -> Result, then: @escaping (Result) -> Void
    ) throws(SystemError) {
        let (key, reply) = expect(then)
        do {
            try Thread.start(name) { reply(work()) }
        } catch {
            results.removeValue(forKey: key)
            throw error
        }
    }
    /// Gives a function for another thread, to be called once: `then` gets its argument, on this loop.
    package func reply<Result: Sendable>(_ then: @escaping (Result) -> Void) -> @Sendable (Result) -> Void {
        expect(then).reply
    }

    private func expect<Result: Sendable>(
        _ then: @escaping (Result) -> Void
    ) -> (key: UInt64, reply: @Sendable (Result) -> Void) {
        let key = nextResult
        nextResult += 1
        results[key] = { result in
            // What comes back under this key is what `reply` was given: the cast cannot fail.
            if let result = result as? Result { then(result) }
        }
        let remote = self.remote
        return (key, { result in remote.perform { loop in loop.results.removeValue(forKey: key)?(result) } })
    }
}
