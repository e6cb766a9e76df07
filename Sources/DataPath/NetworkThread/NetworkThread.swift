import Glibc
import Linux

/// The thread that reads what comes from the network, and can do little else: what others may have made of those bytes
/// has the system calls of `SystemCallFilter.forNetwork` at its disposal, whatever it gets hold of. These work on all
/// connected sockets of the process, those to containerd and criu among them.
///
/// It exists only while it has something to do. Everything that decides, and all that needs the kernel for more than
/// connected sockets, stays on the thread of `loop`, where this object lives; both send each other messages.
package final class NetworkThread {
    /// Its code needs some ten kilobytes; building the filter most of them.
    private static let stackSize = 128 << 10

    unowned let loop: EventLoop
    private let failed: (SystemError) -> Void
    /// The inbox of the thread that runs, or will in a moment.
    private var inbox: Inbox<NetworkRoom?>?
    private var tasks = 0
    private var reservations = 0

    /// - Parameters:
    ///   - loop: The one of the thread that this object is used from, which lives longer.
    ///   - failed: Told why such a thread ended without having done anything. `attempt` finds that out beforehand.
    package init(loop: EventLoop, failed: @escaping (SystemError) -> Void = { _ in }) {
        self.loop = loop
        self.failed = failed
    }

    /// Whether there can be such a thread: this kernel may not let threads give up system calls.
    package static func attempt() throws(SystemError) {
        let loop = try EventLoop()
        var failure: SystemError?
        var isOver = false
        try NetworkThread(loop: loop) { failure = $0 }.begin { _, done in
            done()
        } then: {
            isOver = true
        }
        try loop.run { isOver }
        if let failure { throw failure }
    }

    deinit {
        tell { $0.loop.stop() }
    }

    /// Keeps the thread, until `letGo`, for work that there will be: later descriptors might be lacking.
    package func reserve() throws(SystemError) {
        _ = try running()
        reservations += 1
    }

    package func letGo() {
        reservations -= 1
        endIfIdle()
    }

    /// Ends everything that the thread does, the hard way, and gives up what was reserved.
    package func closeAll() {
        reservations = 0
        tell { $0.closeAll() }
        endIfIdle()
    }

    /// Something for the thread to do.
    ///
    /// - Parameters:
    ///   - work: Called on the thread, with the function to call when nothing of it is left. What it captures is its own:
    ///     sockets are to have no other owner. If no such thread can be had after all, it is never called, and gone.
    ///   - then: Called once, when the work is done and what it held is closed; not before this returns.
    /// - Throws: for want of descriptors or memory; then nothing has happened.
    package func begin(
        _ work: @escaping @Sendable (NetworkRoom, _ done: @escaping () -> Void) -> Void,
        then: @escaping () -> Void
    ) throws(SystemError) {
        let inbox = try running()
        tasks += 1
        // These keep this object until the thread has nothing left to do.
        let done = loop.reply { (_: Void) in
            then()
            self.finished()
        }
        let isTaken = inbox.perform { room in
            guard let room else { return done(()) }
            // Only when this round is over has the last of its handlers let go of what is to be closed.
            work(room) { room.loop.soon { done(()) } }
        }
        if !isTaken { done(()) }
    }

    /// Tells a thread that runs something about what it does; one that does not run need not know.
    package func tell(_ message: @escaping @Sendable (NetworkRoom) -> Void) {
        inbox?.perform { room in if let room { message(room) } }
    }

    private func finished() {
        tasks -= 1
        endIfIdle()
    }

    private func endIfIdle() {
        if tasks > 0 || reservations > 0 { return }
        tell { $0.loop.stop() }
        inbox = nil
    }

    private func running() throws(SystemError) -> Inbox<NetworkRoom?> {
        if let inbox { return inbox }
        let inbox = try Inbox<NetworkRoom?>()
        // Made here, where a want of descriptors can be told; from now on only the new thread touches it.
        nonisolated(unsafe) let its = try EventLoop()
        let ended = loop.reply { [failed] (error: SystemError?) in
            if let error { failed(error) }
        }
        let answers = loop.remote
        try Thread.start("network", stack: Self.stackSize) {
            NetworkRoom.run(its, inbox, answers, ended)
        }
        self.inbox = inbox
        return inbox
    }
}

/// What is on the thread: those who read and write.
package final class NetworkRoom {
    package let loop: EventLoop
    let relay: Relay
    let desk: VisitorDesk
    let refusal: Refusal

    private init(_ loop: EventLoop) {
        self.loop = loop
        relay = Relay(loop: loop)
        desk = VisitorDesk(loop: loop)
        refusal = Refusal(loop: loop)
    }

    /// Ends everything, the hard way.
    func closeAll() {
        desk.closeAll()
        relay.closeAll()
        refusal.closeAll()
    }

    /// The life of the thread. Tells why it could not live, or nil.
    fileprivate static func run(
        _ loop: EventLoop, _ inbox: Inbox<NetworkRoom?>, _ answers: EventLoop.Remote,
        _ ended: (SystemError?) -> Void
    ) {
        let room = NetworkRoom(loop)
        do throws(SystemError) {
            try loop.watch(inbox.event, .readable) { [unowned room] _ in
                for message in inbox.takeAll() { message(room) }
            }
            // Before the first byte.
            let readable = [inbox.event.rawValue, loop.remote.event.rawValue]
            try SystemCallFilter.forNetwork(readable: readable, writable: answers.event.rawValue).load()
            try loop.run()
            ended(nil)
        } catch {
            ended(error)
            // Whatever was handed to the thread, and not taken, is closed unread.
            for message in inbox.close() { message(nil) }
        }
    }
}
