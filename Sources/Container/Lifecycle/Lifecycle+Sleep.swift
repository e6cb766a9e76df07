/// What becomes of a way into sleep, and of a way out of it.
extension Lifecycle {
    package enum CheckpointOutcome: Equatable, Sendable {
        case done
        case givenUp
        /// The container runs on; the text says why it cannot sleep.
        case failed(String)
        /// As `failed`: CRIU cannot do it.
        case refused(String)
        /// As `failed`, and trying again would be in vain.
        case impossible(String)
    }

    package mutating func checkpointEnded(_ outcome: CheckpointOutcome, at now: UInt64) -> [Effect] {
        guard case .checkpointing(let wanted, let exit) = state else { return [] }
        reasons.removeFailures()
        if outcome == .done {
            patience = policy.firstLook
            state = .asleep
            hasSlept = true
            if wanted {
                isWanted = true
                return wakeIfWanted()
            }
            let changes = proceedWithWaiting()
            return [.asleep] + changes
        }
        // The dump did not end the processes, so an exit meanwhile was their own.
        if let exit { return end(status: exit) }
        if case .refused(let text) = outcome {
            reasons.insert(.refused, text)
            refusedUntil = now + policy.retryAfterRefusal
            // `hold` has been performed already.
            if !wanted && way(at: now) == .freeze {
                let effects = freeze()
                return effects + proceedWithWaiting()
            }
        }
        state = .running
        awakeSince = now
        var retry = policy.scaleDownAfter
        switch outcome {
        case .done, .givenUp: break
        case .refused: retry = policy.retryAfterFailure
        case .failed(let text):
            reasons.insert(.checkpointFailed, text)
            retry = policy.retryAfterFailure
        case .impossible(let text):
            reasons.insert(.unable, text)
        }
        let look: [Effect] = reasons.contains(.unable) ? [] : [.look(after: retry)]
        return [.release] + proceedWithWaiting() + look
    }

    /// A restore cannot fail any more without ending the processes: they are complete, and are about to run. `restored`
    /// follows a millisecond later, for which those who connected need not wait.
    package mutating func resuming() -> [Effect] {
        // Paused ones must not run before they are paused again.
        guard state == .restoring, !reasons.contains(.paused) else { return [] }
        state = .resuming
        return [.release]
    }

    package mutating func restored(at now: UInt64) -> [Effect] {
        // Removed in the meantime.
        if state == .exited { return [.endProcesses] }
        guard state.isBeingRestored else { return [] }
        let release: [Effect] = state == .resuming ? [] : [.release]
        state = .running
        awakeSince = now
        return release + [.awake] + proceedWithWaiting() + [.look(after: policy.scaleDownAfter)]
    }

    /// The images are kept for inspection; the container ends with a status that is not zero.
    package mutating func restoreFailed() -> [Effect] {
        guard state.isBeingRestored else { return [] }
        return [.keepImages] + end(status: Self.restoreFailure)
    }

    /// The processes could not be stopped, and run on.
    package mutating func freezeFailed(_ text: String, at now: UInt64) -> [Effect] {
        guard state == .frozen else { return [] }
        reasons.insert(.freezeFailed, text)
        state = .running
        awakeSince = now
        return [.release] + proceedWithWaiting() + [.look(after: policy.retryAfterFailure)]
    }

    package mutating func thawed(at now: UInt64) -> [Effect] {
        guard state == .thawing else { return [] }
        state = .running
        awakeSince = now
        return [.release] + proceedWithWaiting() + [.look(after: policy.scaleDownAfter)]
    }
}
