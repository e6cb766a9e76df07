import CLinux
import Glibc
import Linux

/// A checkpoint in the making: processes → images.
package struct Dump: Sendable {
    /// The criu program.
    package let criu: HeldProgram
    /// The container's init, in the shim's pid namespace.
    package let pid: pid_t
    package let root: String
    package let kept: KeptContainer
    /// nil: criu is where the shim is.
    package let account: DumpAccount?
    package let snapshot: Snapshot
    /// Bytes that the processes have in memory.
    package let memory: UInt64
    /// Whether the images are made ready for memory that comes after a wake.
    package let mayWakeLazily: Bool
    package let clock: SleepClock
    package let times: StepTimes

    package init(
        criu: HeldProgram, pid: pid_t, root: String, kept: KeptContainer, account: DumpAccount?, snapshot: Snapshot,
        memory: UInt64, mayWakeLazily: Bool, clock: SleepClock, times: StepTimes
    ) {
        self.criu = criu
        self.pid = pid
        self.root = root
        self.kept = kept
        self.account = account
        self.snapshot = snapshot
        self.memory = memory
        self.mayWakeLazily = mayWakeLazily
        self.clock = clock
        self.times = times
    }

    /// What is known of the processes that have ended, and of the way back.
    package struct Outcome: Sendable {
        /// What the init does with signals, if that could be read.
        package let dispositions: SignalDispositions?
        package let lazyMemory: LazyMemory
        package let sleeper: Sleeper
    }

    /// The same while it is being found out.
    private struct Findings {
        var dispositions: SignalDispositions?
        var lazyMemory = LazyMemory()
        var attributes = TaskAttributes()
        var descriptors: KeptDescriptors?
        var locks: RecordLocks?
        var timers: Timers?
        var timerDescriptors: TimerDescriptors?
        var segments: SharedSegments?
    }

    /// Dumps and ends the processes. On any error, and when `mayGoOn` says no, they run on as if nothing had been.
    ///
    /// - Parameters:
    ///   - mayGoOn: asked on a foreign thread, when all processes stand still.
    ///   - loss: asked there at the same time: what of these processes would be lost without a word?
    ///   - mayEnd: asked there, when everything is written but nothing is ended yet.
    ///   - then: called on the loop.
    package func run(
        _ underWay: CallUnderWay, loop: EventLoop, children: Children, mayGoOn: @escaping @Sendable () -> Bool,
        loss: @escaping @Sendable ([pid_t]) throws(SystemError) -> String?,
        mayEnd: @escaping @Sendable (KeptDescriptors) throws(SystemError) -> Bool,
        then: @escaping (Result<Outcome, CheckpointError>) -> Void
    ) {
        do throws(SystemError) {
            try snapshot.makeDirectories()
            do throws(CheckpointError) {
                try snapshot.encryptIfWanted()
                try snapshot.reserve(forMemory: memory)
            } catch {
                snapshot.discardImages()
                return loop.soon { then(.failure(error)) }
            }
            // Sockets are not CRIU's to dump, so there is nothing to lock.
            let service = try CRIUService.start(criu.path, ["--network-lock", "skip"], for: kept, children: children)
            if let account, let pid = service.pid { account.take(pid) }
            underWay.begins(service, atEnd: { [account] in account?.end() })
            times.reached("criu started")
            try loop.onThread("checkpoint") { [self] in
                Result { () throws(CheckpointError) in try call(service, mayGoOn, loss, mayEnd) }
            } then: { result in
                if case .failure = result { snapshot.discardImages() }
                then(result)
            }
        } catch {
            underWay.end()
            loop.soon { then(.failure(.system(error))) }
        }
    }

    private func call(
        _ service: CRIUService, _ mayGoOn: @escaping () -> Bool,
        _ loss: @escaping ([pid_t]) throws(SystemError) -> String?,
        _ mayEnd: @escaping (KeptDescriptors) throws(SystemError) -> Bool
    ) throws(CheckpointError) -> Outcome {
        var isAsked = false
        // A criu that was asked nothing would wait for ever.
        defer { if !isAsked { service.kill() } }
        let directories = try snapshot.open()
        let options = try CRIUOptions(
            images: directories.images, work: directories.work, log: Snapshot.dumpLog)
        options.setCommon()
        options.setPID(pid)
        try options.setRoot(root)
        // Every mount is kept, so none is dumped; tmpfs contents stay where they are.
        for (index, mount) in kept.mounts.enumerated() where mount.point != "/" {
            try options.addExternal("mnt[\(mount.point)]:m\(index)")
        }
        var failure: CheckpointError?
        var findings = Findings()
        try options.useService(service)
        isAsked = true
        let code = options.dump(by: service) { step, _ in
            times.reached(step)
            do throws(CheckpointError) {
                switch step {
                case "query-ext-files": try processesStandStill(&findings, mayGoOn, loss)
                case "post-dump": try imagesAreComplete(&findings, mayGoOn, mayEnd)
                default: break
                }
            } catch {
                failure = error
            }
            return failure == nil
        }
        times.reached("call returned")
        if let failure { throw failure }
        if code < 0 && !mayGoOn() { throw .givenUp }
        if code < 0 {
            // Where CRIU fails on an io_uring depends on the kernel, and its log does not always name it.
            try ProcessComparison.requireNoRing(of: (try? kept.processes) ?? [])
            throw snapshot.explain(
                .failed("dump", code, log: snapshot.logTail(Snapshot.dumpLog)), memory: memory)
        }
        guard let descriptors = findings.descriptors, let locks = findings.locks, let timers = findings.timers,
            let timerDescriptors = findings.timerDescriptors, let segments = findings.segments
        else { throw .badImage(path: "\(snapshot.images)/files.img") }
        return Outcome(
            dispositions: findings.dispositions, lazyMemory: findings.lazyMemory,
            sleeper: Sleeper(
                criu: criu, kept: kept, descriptors: descriptors, attributes: findings.attributes, locks: locks,
                timers: timers, timerDescriptors: timerDescriptors, segments: segments))
    }

    /// CRIU has not yet injected its code.
    private func processesStandStill(
        _ findings: inout Findings, _ mayGoOn: () -> Bool, _ loss: ([pid_t]) throws(SystemError) -> String?
    ) throws(CheckpointError) {
        findings.dispositions = try? SignalDispositions(of: pid)
        let pids: [pid_t]
        let lost: String?
        do throws(SystemError) {
            pids = try kept.processes
            lost = try loss(pids)
            findings.attributes = try TaskAttributes(of: pids, in: kept.cgroups, ofNode: kept.users == nil)
        } catch {
            throw .system(error)
        }
        try ProcessComparison.requireOneSetting(of: pids, asOf: pid)
        try ProcessComparison.requireNoTerminal(of: pids)
        try UserNamespaceRules.require(of: pid, kept)
        try LostSettings.refuse(in: pids)
        if let lost { throw .lossy(reason: lost) }
        if clock == .stopped { try StoppedClocks.requireNamespaces() }
        times.reached("nothing is lost")
        if !mayGoOn() { throw .givenUp }
    }

    /// The processes can still go on if this fails.
    private func imagesAreComplete(
        _ findings: inout Findings, _ mayGoOn: () -> Bool, _ mayEnd: (KeptDescriptors) throws(SystemError) -> Bool
    ) throws(CheckpointError) {
        do throws(SystemError) {
            // Before the container's own processes end, so that its cgroups are never empty.
            try kept.placeholder?.awaitPlace()
            findings.segments = try SharedSegments(in: kept.ipc)
            // With timens-0.img CRIU makes a time namespace whose clocks are as they were. Without it the restored
            // processes are in the node's, where clocks have gone on.
            if clock == .running { try Files.remove("\(snapshot.images)/timens-0.img") }
        } catch {
            throw .system(error)
        }
        try ImageFile.adoptKeptMountNamespace(in: snapshot.images)
        try ImageFile.leaveCgroups(in: snapshot.images)
        if mayWakeLazily { findings.lazyMemory = try LazyMemory.choose(in: snapshot.images) }
        let pids: [pid_t]
        do throws(SystemError) { pids = try kept.processes } catch { throw .system(error) }
        findings.locks = try RecordLocks(takenFrom: snapshot.images, of: pids)
        findings.timers = try Timers(in: snapshot.images, clock)
        let descriptors = try KeptDescriptors(takenFrom: snapshot.images)
        do throws(SystemError) { findings.timerDescriptors = try descriptors.timers(clock) } catch {
            throw .system(error)
        }
        if clock == .stopped { try StoppedClocks.setToNow(in: snapshot.images, of: pid) }
        times.reached("descriptors kept")
        try snapshot.settle()
        let isFree: Bool
        do throws(SystemError) { isFree = try mayEnd(descriptors) } catch { throw .system(error) }
        if !isFree || !mayGoOn() { throw .givenUp }
        findings.descriptors = descriptors
    }
}
