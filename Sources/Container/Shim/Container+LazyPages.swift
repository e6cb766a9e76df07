import Checkpoint
import Glibc
import Lifecycle
import Linux

/// Waking before all memory is there: a server brings it while the container runs already.
extension Container {
    /// Whether the wake from the images that are being made may be a lazy one.
    ///
    /// - Parameter memory: bytes that the processes have.
    func mayWakeLazily(_ memory: UInt64?) -> Bool {
        guard PageServer.isPossible else { return false }
        switch configuration.wake.pages {
        case .lazy: return true
        case .eager: return false
        case .bySize: return memory ?? 0 >= Self.lazySize
        }
    }

    /// Whether so much memory comes after the wake, of what may; decided at the end of the checkpoint, so that no wake waits
    /// for it.
    func isWorthwhile(_ size: UInt64, of memory: UInt64?) -> Bool {
        guard configuration.wake.pages == .bySize else { return size > 0 }
        // Memory that processes share since a fork is in the images of each, and would become one copy for each.
        let isShared = memory.map { snapshot.memorySize > $0 + $0 / 4 } ?? false
        return size >= Self.lazySize && !isShared
    }

    /// From this size on, in bytes, starting the server takes clearly less time than reading the memory at once, which
    /// takes 0.7 ms a megabyte.
    private static let lazySize: UInt64 = 64 << 20

    /// The container stays awake, and its images stay where they are, until all memory has come.
    func awaitMemory(_ memory: ComingMemory) {
        whenAwake(for: .export, thoughPaused: true) { [self] result in
            guard case .success(let work) = result else {
                memory.pages.end()
                return memory.end()
            }
            memory.pages.whenEnded { [self] status in
                finished(work)
                guard lifecycle.state != .exited else { return }
                if status.isSuccess { came(memory) } else { isLost(memory, status) }
            }
        }
    }

    private func came(_ memory: ComingMemory) {
        stage = .awake(nil)
        snapshot.discardImages(context.loop)
        context.log.debug("all memory is there", label)
        memory.end()
    }

    /// Whoever touches what has not come waits, as its memory is nowhere else, until it is ended here.
    private func isLost(_ memory: ComingMemory, _ status: ExitStatus) {
        context.log.error(
            "the page server ended (\(status)) before all memory was there, and the container ends with it; "
                + "its log ends:\n\(snapshot.logTail(PageServer.log))", label)
        memory.isLost = true
        setImagesAside()
        try? context.outside.signal(SIGKILL, main.pid)
    }

    /// Calls back when no part of the memory is in the images alone: nobody can checkpoint the processes before.
    func whenMemoryIsThere(_ body: @escaping () -> Void) {
        if let comingMemory { comingMemory.waiting.append(body) } else { body() }
    }
}
