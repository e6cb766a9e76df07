import ContainerdAPI
import Linux
import Protobuf
import TTRPC

/// Tells containerd what happens to containers, strictly in the order of the calls.
///
/// What belongs in this target: the queue and its patience. Which events there are is ContainerdAPI's, and when they are
/// due is decided where things happen.
///
/// One event is on its way at a time. While containerd is away the queue waits, and is tried again after a growing
/// pause; an event whose answer was lost is sent again, so that one may arrive twice, but never out of order. With
/// nothing in the queue no timer is armed, and a lost connection is made again only when there is something to say.
package final class EventPublisher {
    /// As many as containerd's own shim keeps (containerd, pkg/shim/publisher.go).
    static let mostQueued = 2048
    /// What containerd answers with an error, rather than not at all, is tried this often.
    static let mostRefusals = 5

    private let loop: EventLoop
    private let address: String
    private let namespace: String
    private let log: (String) -> Void
    private let timeout: Instant.Span
    private var queue = UnsentEvents(limit: mostQueued)
    private var backoff = Backoff()
    private var client: Client?
    private var isSending = false
    private var retry: Timer?
    private var refusals = 0
    private var isAway = false
    private var whenEmpty: [() -> Void] = []

    /// - Parameters:
    ///   - address: of containerd's ttrpc socket (`TTRPC_ADDRESS`).
    ///   - namespace: containerd's namespace of the containers.
    ///   - timeout: how long containerd may take for one event.
    package init(
        loop: EventLoop, address: String, namespace: String, timeout: Instant.Span = .seconds(5),
        log: @escaping (String) -> Void
    ) {
        self.loop = loop
        self.address = address
        self.namespace = namespace
        self.timeout = timeout
        self.log = log
    }

    deinit {
        if let retry { loop.cancel(retry) }
    }

    /// Queues an event, with the time it is now. Never blocks and never fails.
    package func publish<Event: TaskEvent>(_ event: Event, at time: WallClockTime = .now) {
        let request = ForwardRequest {
            $0.envelope = EventEnvelope {
                $0.timestamp = Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds)
                $0.namespace = namespace
                $0.topic = Event.topic
                $0.event = AnyMessage(packing: event)
            }
        }
        if let dropped = queue.append(UnsentEvents.Item(topic: Event.topic, payload: request.encoded())) {
            log("event \(dropped.topic) is lost: \(Self.mostQueued) wait for containerd already")
        }
        if retry == nil { sendNext() }
    }

    /// How many events containerd has not confirmed.
    package var queued: Int { queue.count }

    var isConnected: Bool { client?.isOpen ?? false }

    /// Ends a pause between two attempts: containerd has shown itself.
    package func retryNow() {
        guard let retry else { return }
        loop.cancel(retry)
        self.retry = nil
        backoff = Backoff()
        sendNext()
    }

    /// Calls `body` once containerd has everything that is queued; soon, if it has already.
    package func whenDrained(_ body: @escaping () -> Void) {
        if queue.isEmpty { return loop.soon(body) }
        whenEmpty.append(body)
    }

    // MARK: One event at a time

    private func sendNext() {
        if isSending { return }
        guard let item = queue.first else {
            let waiting = whenEmpty
            whenEmpty = []
            for body in waiting { body() }
            return
        }
        let client: Client
        do throws(SystemError) {
            client = try connected()
        } catch {
            return failed(item, Status(.unavailable, "\(error)"))
        }
        isSending = true
        queue.holdFirst()
        client.call(
            ServiceName.events, "Forward", payload: item.payload,
            metadata: [MetadataKey.namespace: namespace], timeout: timeout
        ) { [weak self] result in
            self?.answered(item, result)
        }
    }

    private func connected() throws(SystemError) -> Client {
        if let client, client.isOpen { return client }
        let client = try Client(loop: loop, address: address)
        self.client = client
        return client
    }

    private func answered(_ item: UnsentEvents.Item, _ result: Result<[UInt8], Status>) {
        isSending = false
        switch result {
        case .success:
            if isAway { log("containerd takes events again; \(queue.count) were waiting") }
            isAway = false
            delivered()
        case .failure(let status):
            failed(item, status)
        }
    }

    /// Goes on with the next event, the first being done with.
    private func delivered() {
        refusals = 0
        backoff = Backoff()
        queue.removeFirst()
        sendNext()
    }

    private func failed(_ item: UnsentEvents.Item, _ status: Status) {
        queue.releaseFirst()
        switch status.code {
        case .unavailable, .deadlineExceeded, .cancelled:
            // Away, or stuck. A late answer to this attempt must not be taken for one to the next.
            client?.close()
            client = nil
            if !isAway { log("containerd takes no events (\(status)); they wait") }
            isAway = true
        default:
            refusals += 1
            if refusals >= Self.mostRefusals {
                log("event \(item.topic) is lost: containerd refuses it: \(status)")
                return delivered()
            }
        }
        retry = loop.after(backoff.next()) { [unowned self] in
            retry = nil
            sendNext()
        }
    }
}
