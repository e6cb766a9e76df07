import CCURL
import Linux

/// HTTP requests that are under way, driven by the loop: libcurl says which descriptors it waits for, and how long.
final class Transfers {
    private let loop: EventLoop
    private let multi: UnsafeMutableRawPointer
    private var timer: Timer?
    private var running: [UnsafeMutableRawPointer: Transfer] = [:]
    private var watched: Set<Int32> = []

    /// Nil when libcurl cannot be set up, which is for want of memory alone.
    init?(loop: EventLoop) {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, let multi = curl_multi_init() else { return nil }
        (self.loop, self.multi) = (loop, multi)
        zp_curl_multi_callbacks(
            multi, { _, descriptor, what, context, _ in Transfers.from(context)?.watch(descriptor, what) ?? 0 },
            { _, milliseconds, context in Transfers.from(context)?.setTimer(milliseconds) ?? 0 },
            Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        // To remove one transfer makes libcurl set the timer of the others anew, and by now nobody may refer to this object.
        zp_curl_multi_callbacks(multi, nil, nil, nil)
        for descriptor in watched { loop.unwatch(descriptor) }
        for handle in running.keys { curl_multi_remove_handle(multi, handle) }
        curl_multi_cleanup(multi)
        if let timer { loop.cancel(timer) }
    }

    func start(_ transfer: Transfer) {
        running[transfer.handle] = transfer
        // Not at once: what has come on another one may be the reason for it, and libcurl takes none while it tells of that.
        loop.soon { [weak self] in
            guard let self, running[transfer.handle] != nil else { return }
            let result = curl_multi_add_handle(multi, transfer.handle)
            if result == CURLM_OK { return }
            running[transfer.handle] = nil
            transfer.end(CURLE_FAILED_INIT)
        }
    }

    /// Ends a transfer before its end; nothing is told of it any more.
    func cancel(_ transfer: Transfer) {
        guard running.removeValue(forKey: transfer.handle) != nil else { return }
        curl_multi_remove_handle(multi, transfer.handle)
    }

    // MARK: What libcurl wants

    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfers? {
        context.map { Unmanaged<Transfers>.fromOpaque($0).takeUnretainedValue() }
    }

    private func watch(_ descriptor: Int32, _ what: Int32) -> Int32 {
        // A descriptor may have been closed and its number given out again in between: begin anew each time.
        loop.unwatch(descriptor)
        watched.remove(descriptor)
        if what == CURL_POLL_REMOVE { return 0 }
        var interest = EventLoop.Interest()
        if what & CURL_POLL_IN != 0 { interest.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { interest.insert(.writable) }
        do throws(SystemError) {
            try loop.watch(descriptor, interest) { [unowned self] ready in act(descriptor, ready) }
            watched.insert(descriptor)
            return 0
        } catch {
            return -1
        }
    }

    private func setTimer(_ milliseconds: Int) -> Int32 {
        if let timer { loop.cancel(timer) }
        timer = nil
        if milliseconds < 0 { return 0 }
        timer = loop.after(.milliseconds(UInt64(milliseconds))) { [unowned self] in
            timer = nil
            act(CURL_SOCKET_TIMEOUT, [])
        }
        return 0
    }

    private func act(_ descriptor: Int32, _ ready: EventLoop.Interest) {
        var mask: Int32 = 0
        if ready.contains(.readable) || !ready.isDisjoint(with: .hangUp) { mask |= CURL_CSELECT_IN }
        if ready.contains(.writable) { mask |= CURL_CSELECT_OUT }
        if !ready.isDisjoint(with: .error) { mask |= CURL_CSELECT_ERR }
        var left: Int32 = 0
        curl_multi_socket_action(multi, descriptor, mask, &left)
        var result = CURLE_OK
        while let handle = zp_curl_multi_next_ended(multi, &result) {
            curl_multi_remove_handle(multi, handle)
            // What is done then may start further transfers: not while libcurl is in the middle of its own work.
            guard let transfer = running.removeValue(forKey: handle) else { continue }
            let code = result
            loop.soon { transfer.end(code) }
        }
    }
}
