import CLinux
import Glibc
import Linux

/// A checkpoint in the making: processes → images.
package struct Dump: Sendable {
    /// The criu program.
    package let criu: String
    /// The container's init, in the shim's pid namespace.
    package let pid: pid_t
    package let root: String
    package let kept: KeptContainer
    package let snapshot: Snapshot
    /// Bytes that the processes have in memory.
    package let memory: UInt64
    /// Whether the images are made ready for memory that comes after a wake.
    package let mayWakeLazily: Bool
    /// What keeps the open connections meanwhile; nil: they are closed.
    package let connections: (any ConnectionKeeper)?
    package let times: StepTimes

    package init(
        criu: String, pid: pid_t, root: String, kept: KeptContainer, snapshot: Snapshot, memory: UInt64,
        mayWakeLazily: Bool, connections: (any ConnectionKeeper)?, times: StepTimes
    ) {
        self.criu = criu
        self.pid = pid
        self.root = root
        self.kept = kept
        self.snapshot = snapshot
        self.memory = memory
        self.mayWakeLazily = mayWakeLazily
        self.connections = connections
        self.times = times
    }

    /// What is known of the processes that have ended.
    package struct Outcome: Sendable {
        /// What the init does with signals, if that could be read.
        package var dispositions: SignalDispositions?
        package var lazyMemory = LazyMemory()
    }

    /// Dumps and ends the processes. On any error, and when `mayGoOn` says no, they run on as if nothing had been.
    ///
    /// - Parameters:
    ///   - mayBegin: asked on a foreign thread, when all processes stand still.
    ///   - mayGoOn: asked after that, and once more when everything is written but nothing is ended yet.
    ///   - then: called on the loop.
    package func run(
        _ underWay: CallUnderWay, loop: EventLoop, children: Children, mayBegin: @escaping @Sendable () -> Bool,
        mayGoOn: @escaping @Sendable () -> Bool, then: @escaping (Result<Outcome, CheckpointError>) -> Void
    ) {
        do throws(SystemError) {
            try snapshot.makeDirectories()
            do throws(CheckpointError) { try snapshot.reserve(forMemory: memory) } catch {
                snapshot.discardImages()
                return loop.soon { then(.failure(error)) }
            }
            // libcriu 3.17 knows no such lock; criu does from 3.19 on. The restore finds it in the images.
            let service = try CRIUService.start(
                criu, connections == nil ? [] : ["--network-lock", "skip"], namespaces: kept.entered, cgroups: [],
                inherited: [], children: children)
            underWay.begins(service)
            times.reached("criu started")
            try loop.onThread("checkpoint") { [self] in
                Result { () throws(CheckpointError) in try call(service, mayBegin, mayGoOn) }
            } then: { result in
                if case .failure = result { snapshot.discardImages() }
                then(result)
            }
        } catch {
            loop.soon { then(.failure(.system(error))) }
        }
    }

    private func call(
        _ service: CRIUService, _ mayBegin: @escaping () -> Bool, _ mayGoOn: @escaping () -> Bool
    ) throws(CheckpointError) -> Outcome {
        var isAsked = false
        // It would wait for ever.
        defer { if !isAsked { service.kill() } }
        let directories = try snapshot.open()
        let options = try CRIUOptions(
            images: directories.images, work: directories.work, log: Snapshot.dumpLog)
        options.setCommon(connections: connections != nil)
        options.setPID(pid)
        try options.setRoot(root)
        // Every mount is kept, so none is dumped; tmpfs contents stay where they are.
        for (index, mount) in kept.mounts.enumerated() where mount.point != "/" {
            try options.addExternal("mnt[\(mount.point)]:m\(index)")
        }
        var failure: CheckpointError?
        var outcome = Outcome()
        try options.useService(service)
        isAsked = true
        let code = options.dump { step, _ in
            times.reached(step)
            // The processes stand still, and CRIU has not yet injected its code.
            do throws(CheckpointError) {
                switch step {
                case "query-ext-files":
                    outcome.dispositions = try? SignalDispositions(of: pid)
                    if connections?.processesStopped() == false || !mayBegin() || !mayGoOn() { throw .givenUp }
                // The images are complete, and the processes can still go on if this fails.
                case "post-dump":
                    try awaitPlaceholder()
                    try ImageFile.adoptKeptMountNamespace(in: snapshot.images)
                    try ImageFile.leaveCgroups(in: snapshot.images)
                    if mayWakeLazily { outcome.lazyMemory = try LazyMemory.choose(in: snapshot.images) }
                    if let connections, !connections.processesLeave(try ImageFile.connections(in: snapshot.images)) {
                        throw .givenUp
                    }
                    try snapshot.settle()
                    if !mayGoOn() { throw .givenUp }
                default: break
                }
            } catch {
                failure = error
            }
            return failure == nil
        }
        times.reached("call returned")
        // They run already.
        if code == -ECOMM { connections?.criuIsKilled() }
        if code < 0 { connections?.processesRun() }
        if let failure { throw failure }
        // A connection that is not accepted yet makes CRIU refuse: that is traffic too, and no failure.
        if code < 0 && !mayGoOn() { throw .givenUp }
        if code < 0 {
            throw snapshot.explain(
                .failed("dump", code, log: snapshot.logTail(Snapshot.dumpLog)), memory: memory)
        }
        return outcome
    }

    /// Before the container's own processes end, so that its cgroups are never empty.
    private func awaitPlaceholder() throws(CheckpointError) {
        do throws(SystemError) { try kept.placeholder?.awaitPlace() } catch { throw .system(error) }
    }
}
