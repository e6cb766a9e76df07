import Glibc
import Linux

/// The way back: images → processes, in the namespaces and cgroups that were kept.
package struct Restore: Sendable {
    package let sleeper: Sleeper
    package let snapshot: Snapshot
    /// Whether a page server brings the memory, most of it after the processes run.
    package let isLazy: Bool
    package let times: StepTimes

    private var kept: KeptContainer { sleeper.kept }

    /// - Parameter isLazy: whether a page server brings the memory, most of it after the processes run.
    package init(sleeper: Sleeper, snapshot: Snapshot, isLazy: Bool, times: StepTimes) {
        self.sleeper = sleeper
        self.snapshot = snapshot
        self.isLazy = isLazy
        self.times = times
    }

    /// Makes criu ready for a restore that comes later.
    package func prepare(_ ahead: CRIUService.Prestart, children: Children) throws(SystemError) -> CRIUService {
        try start(children, ahead)
    }

    /// A restore that has begun: criu is starting, with room for itself in the container's cgroups.
    package struct Begun: Sendable {
        let service: CRIUService
        let headroom: Headroom
        let wasPrepared: Bool

        /// Nothing comes of it.
        package func giveUp() {
            service.kill()
            headroom.end()
        }
    }

    /// Has criu start. The first thing of a wake, as all else can be done meanwhile.
    ///
    /// - Parameter prepared: what `prepare` made; it serves only once.
    package func begin(with prepared: CRIUService?, children: Children) throws(SystemError) -> Begun {
        let headroom = Headroom(in: kept.cgroups)
        defer { times.reached("criu started") }
        // One that somebody has killed in the meantime is of no use.
        if let prepared, prepared.pid != nil {
            prepared.begin()
            return Begun(service: prepared, headroom: headroom, wasPrepared: true)
        }
        do throws(SystemError) {
            return Begun(service: try start(children, nil), headroom: headroom, wasPrepared: false)
        } catch {
            headroom.end()
            throw error
        }
    }

    /// Restores the processes and lets them run.
    ///
    /// - Parameters:
    ///   - pages: the server, if `isLazy`.
    ///   - aboutToRun: called on a foreign thread, when the processes are complete, have what was kept and do not run yet.
    ///   - resuming: called on the loop, at most once and before `then`, with the pid of the container's init, when the
    ///     processes are complete and about to run. From here on a failure ends them.
    ///   - then: called on the loop with the new pid of the container's init, which becomes a child of this process
    ///     when criu ends. The caller must hold a `Children.Expectation` until it has asked for that pid.
    package func run(
        _ underWay: CallUnderWay, _ begun: Begun, pages: PageServer?, loop: EventLoop, children: Children,
        aboutToRun: @escaping @Sendable () -> Void, resuming: @escaping (pid_t) -> Void,
        then: @escaping (Result<pid_t, CheckpointError>) -> Void
    ) {
        underWay.begins(begun.service, in: kept.cgroups, atEnd: { begun.headroom.end() })
        // Without a value in the end the loop would keep what it calls for ever.
        let tell = loop.reply { (pid: pid_t?) in if let pid { resuming(pid) } }
        do throws(SystemError) {
            let procfs = try ProcfsRenewal(kept)
            let faults = pages?.faults
            try loop.onThread("restore") { [self] in
                Result { () throws(CheckpointError) in
                    try call(begun.service, underWay, faults, procfs, aboutToRun, tell)
                }
            } then: { [self] result in
                // Nothing has happened if criu has not even begun.
                if begun.wasPrepared, case .failure = result, !times.has("pre-restore"), !underWay.isEnded {
                    // Before the limits are read again.
                    begun.giveUp()
                    do throws(SystemError) {
                        return run(
                            underWay, try begin(with: nil, children: children), pages: pages, loop: loop,
                            children: children, aboutToRun: aboutToRun, resuming: resuming, then: then)
                    } catch {
                        return then(.failure(.notBegun(error)))
                    }
                }
                then(result)
            }
            procfs.start()
        } catch {
            tell(nil)
            begun.service.kill()
            loop.soon { then(.failure(.notBegun(error))) }
        }
    }

    /// criu is put into the container's cgroups, and what it restores stays there.
    private func start(_ children: Children, _ ahead: CRIUService.Prestart?) throws(SystemError) -> CRIUService {
        let cgroups = try kept.cgroups.openProcesses()
        defer { withExtendedLifetime(cgroups) {} }
        let shim = try Process.ownHandle()
        return try CRIUService.start(
            sleeper.criu.path, isLazy ? ["--lazy-pages"] : [], for: kept,
            cgroups: cgroups.map { $0.descriptor.rawValue },
            inherited: [shim.rawValue] + (kept.users.map { [$0.descriptor.rawValue] } ?? []), children: children,
            ahead: ahead)
    }

    private func call(
        _ service: CRIUService, _ underWay: CallUnderWay, _ faults: PageFaults?, _ procfs: ProcfsRenewal,
        _ aboutToRun: @escaping () -> Void, _ tell: @escaping (pid_t?) -> Void
    ) throws(CheckpointError) -> pid_t {
        var (isAsked, isTold) = (false, false)
        defer {
            procfs.end()
            if !isTold { tell(nil) }
            // A criu that was asked nothing would wait for ever.
            if !isAsked { service.kill() }
        }
        // Without the page server criu would find nobody to give the processes to.
        do throws(SystemError) { try faults?.awaitServer() } catch { throw .notBegun(error) }
        try sleeper.timers.takeOffSleep()
        let directories = try snapshot.open()
        let options = try CRIUOptions(
            images: directories.images, work: directories.work, log: Snapshot.restoreLog)
        options.setCommon()
        options.setEvasiveDevices()
        try options.join(.mount, path: "/proc/\(getpid())/fd/\(kept.mount.descriptor.rawValue)")
        // From whose table CRIU takes what was kept.
        try options.addInherited(CRIUService.inheritedNumber(0), key: "keeper")
        if kept.users != nil { try options.addInherited(CRIUService.inheritedNumber(1), key: "users") }
        var failure: CheckpointError?
        var initial: pid_t = 0
        try options.useService(service)
        isAsked = true
        let pid = options.restore(by: service) { step, pid in
            times.reached(step)
            // CRIU names the init at this step and not at the next.
            do throws(CheckpointError) {
                switch step {
                case "setup-namespaces":
                    initial = pid
                    try attempt { () throws(SystemError) in
                        try underWay.made(initial: pid)
                        // The pid namespace is new and nothing runs in it yet.
                        try procfs.begin(for: pid)
                    }
                // From here on criu looks at /proc.
                case "post-setup-namespaces": try procfs.finish()
                // The processes are made, and the server has not begun to bring memory unasked.
                case "post-restore": try attempt { () throws(SystemError) in try faults?.hold() }
                // The processes are about to run. From here on a failure ends them.
                case "pre-resume":
                    try attempt { () throws(SystemError) in try sleeper.timerDescriptors.giveBackTime() }
                    sleeper.attributes.giveBack(to: (try? kept.processes) ?? [])
                    aboutToRun()
                    sleeper.descriptors.close()
                    sleeper.segments.letGo()
                    sleeper.locks.release()
                    isTold = true
                    tell(initial)
                default: return true
                }
            } catch {
                failure = error
            }
            times.reached("\(step) done")
            return failure == nil
        }
        times.reached("call returned")
        if pid > 0 && failure == nil { return pid }
        underWay.failed()
        if let failure { throw failure }
        let error = CheckpointError.failed("restore", pid, log: snapshot.logTail(Snapshot.restoreLog))
        // Processes that ran, if only for a moment, may have done something that must not be done twice.
        if times.has("pre-resume") { throw .tooLate(error.description) }
        throw error
    }

    private func attempt(_ body: () throws(SystemError) -> Void) throws(CheckpointError) {
        do throws(SystemError) { try body() } catch { throw .system(error) }
    }
}
