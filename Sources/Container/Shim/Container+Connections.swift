import Linux

/// Connections while the container sleeps, or is about to.
extension Container {
    /// From here on the shim takes what may be probes, and what it relays. Without that there must be no sleep.
    func hold() {
        changeBegan = .now
        mayNotSleepUntil = nil
        cancelLook()
        _ = traffic?.pod.sleeps.take(now: .now)
        history.forgetCaller()
        var failure: SystemError?
        do throws(SystemError) {
            try traffic?.hold(from: try cgroup?.processes() ?? [main.pid], connectionHeld)
        } catch {
            failure = error
        }
        stage = .fallingAsleep(SleepAttempt(memory: cgroup?.anonymousMemory, holdFailure: failure))
    }

    var connectionHeld: () -> Void {
        { [weak self] in
            guard let self else { return }
            history.connectionHeld(at: .now)
            // The sockets of what is frozen are its own again once it goes on; else who it was can wait until criu works.
            let isAsleep = lifecycle.state == .asleep
            if !isAsleep { noteCaller() }
            tell {
                $0.connectionHeld()
            } then: { [self] in
                if isAsleep { noteCaller() }
            }
        }
    }

    func release() {
        traffic?.release()
        history.connectionsReleased(at: .now)
    }
}
