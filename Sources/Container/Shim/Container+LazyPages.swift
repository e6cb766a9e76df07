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

    /// Which memory comes after the wake, of what may; decided at the end of the checkpoint, so that no wake waits for it.
    func worthwhile(_ chosen: LazyMemory, of memory: UInt64?) -> LazyMemory {
        guard configuration.wake.pages == .bySize, chosen.size > 0 else { return chosen }
        // Memory that processes share since a fork is in the images of each, and would become one copy for each.
        let isShared = memory.map { snapshot.memorySize > $0 + $0 / 4 } ?? false
        return chosen.size >= Self.lazySize && !isShared ? chosen : LazyMemory()
    }

    /// From this size on, in bytes, starting the server takes clearly less time than reading the memory at once, which
    /// takes 0.7 ms a megabyte.
    private static let lazySize: UInt64 = 64 << 20

    /// The container stays awake, and its images stay where they are, until all memory has come.
    func awaitMemory(from server: PageServer) {
        whenAwake(for: .export, thoughPaused: true) { [self] result in
            guard case .success(let work) = result else { return server.end() }
            server.whenEnded { [self] status in
                finished(work)
                guard lifecycle.state != .exited else { return }
                if status.isSuccess { memoryCame() } else { memoryIsLost(status) }
            }
        }
    }

    private func memoryCame() {
        pageServer?.letGo()
        pageServer = nil
        context.log.debug("all memory is there", label)
        snapshot.discardImages(context.loop)
        for body in waitingForMemory { body() }
        waitingForMemory = []
    }

    /// Whoever touches what has not come waits, as its memory is nowhere else, until it is ended here.
    private func memoryIsLost(_ status: ExitStatus) {
        context.log.error(
            "the page server ended (\(status)) before all memory was there, and the container ends with it; "
                + "its log ends:\n\(snapshot.logTail(PageServer.log))", label)
        hasLostMemory = true
        imagesAreEvidence = true
        setImagesAside()
        try? Process.signal(SIGKILL, to: main.pid)
    }

    /// The container has ended, and nobody needs its memory.
    func endPageServer() {
        pageServer?.end()
        pageServer?.letGo()
        pageServer = nil
        for body in waitingForMemory { body() }
        waitingForMemory = []
    }

    /// Calls back when no part of the memory is in the images alone: nobody can checkpoint the processes before.
    func whenMemoryIsThere(_ body: @escaping () -> Void) {
        if pageServer == nil { body() } else { waitingForMemory.append(body) }
    }
}
