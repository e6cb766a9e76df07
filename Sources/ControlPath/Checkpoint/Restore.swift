import CLinux
import Glibc
import Linux

/// The way back: images → processes, in the namespaces and cgroups that were kept.
package struct Restore: Sendable {
    /// A stream that the processes share with the shim: its pipe goes on where it was.
    package struct Stream: Sendable {
        /// What the image calls it: `pipe:[inode]`.
        package let key: String
        /// A descriptor of this process, open until the restore is over.
        package let descriptor: Int32

        package init(key: String, descriptor: Int32) {
            self.key = key
            self.descriptor = descriptor
        }
    }

    package let criu: String
    package let kept: KeptContainer
    package let snapshot: Snapshot
    package let streams: [Stream]
    /// Whether a page server brings the memory, most of it after the processes run.
    package let isLazy: Bool
    /// What has kept the open connections; nil: they are not in the images.
    package let connections: (any ConnectionKeeper)?
    package let times: StepTimes

    package init(
        criu: String, kept: KeptContainer, snapshot: Snapshot, streams: [Stream], isLazy: Bool,
        connections: (any ConnectionKeeper)?, times: StepTimes
    ) {
        self.criu = criu
        self.kept = kept
        self.snapshot = snapshot
        self.streams = streams
        self.isLazy = isLazy
        self.connections = connections
        self.times = times
    }

    /// Makes criu ready for a restore that comes later.
    package func prepare(_ ahead: CRIUService.Prestart, children: Children) throws(SystemError) -> CRIUService {
        try start(children, ahead)
    }

    /// Restores the processes and lets them run.
    ///
    /// - Parameters:
    ///   - prepared: what `prepare` made; it serves only once.
    ///   - pages: the server, if `isLazy`.
    ///   - then: called on the loop with the new pid of the container's init, which becomes a child of this process
    ///     when criu ends. The caller must hold a `Children.Expectation` until it has asked for that pid.
    package func run(
        _ underWay: CallUnderWay, with prepared: CRIUService? = nil, pages: PageServer?, loop: EventLoop,
        children: Children,
        then: @escaping (Result<pid_t, CheckpointError>) -> Void
    ) {
        // One that somebody has killed in the meantime is of no use.
        let prepared = prepared?.pid == nil ? nil : prepared
        do throws(SystemError) {
            let service: CRIUService
            let headroom = Headroom(in: kept.cgroups)
            do throws(SystemError) {
                if let prepared { service = prepared } else { service = try start(children, nil) }
            } catch {
                headroom.end()
                throw error
            }
            underWay.begins(service, headroom, in: kept.cgroups)
            times.reached("criu started")
            let faults = pages?.faults
            try loop.onThread("restore") { [self] in
                Result { () throws(CheckpointError) in try call(service, underWay, faults) }
            } then: { [self] result in
                // Nothing has happened if criu has not even begun.
                if prepared != nil, case .failure = result, !times.has("pre-restore"), !underWay.isEnded {
                    return run(underWay, pages: pages, loop: loop, children: children, then: then)
                }
                then(result)
            }
        } catch {
            loop.soon { then(.failure(.notBegun(error))) }
        }
    }

    /// criu is put into the container's cgroups, and what it restores stays there.
    private func start(_ children: Children, _ ahead: CRIUService.Prestart?) throws(SystemError) -> CRIUService {
        let cgroups = try kept.cgroups.openProcesses()
        defer { withExtendedLifetime(cgroups) {} }
        return try CRIUService.start(
            criu, isLazy ? ["--lazy-pages"] : [], namespaces: kept.entered,
            cgroups: cgroups.map { $0.descriptor.rawValue }, inherited: streams.map(\.descriptor), children: children,
            ahead: ahead)
    }

    private func call(
        _ service: CRIUService, _ underWay: CallUnderWay, _ faults: PageFaults?
    ) throws(CheckpointError) -> pid_t {
        // Else criu would find nobody to give the processes to.
        do throws(SystemError) { try faults?.awaitServer() } catch { throw .notBegun(error) }
        let directories = try snapshot.open()
        let options = try CRIUOptions(
            images: directories.images, work: directories.work, log: Snapshot.restoreLog)
        options.setCommon(connections: connections != nil)
        options.setEvasiveDevices()
        try options.join(.mount, path: "/proc/\(getpid())/fd/\(kept.mount.descriptor.rawValue)")
        for (index, stream) in streams.enumerated() {
            try options.addInherited(CRIUService.inheritedNumber(index), key: stream.key)
        }
        var failure: CheckpointError?
        var initial: pid_t = 0
        try options.useService(service)
        let pid = options.restore { step, pid in
            times.reached(step)
            // CRIU names the init at this step and not at the next.
            do throws(CheckpointError) {
                switch step {
                case "setup-namespaces":
                    initial = pid
                    try know(pid, underWay)
                // The pid namespace is new and nothing runs in it yet: now is the time to show it at /proc.
                case "post-setup-namespaces": try renewProcfs(for: initial)
                // The processes are made, and the server has not begun to bring memory unasked.
                case "post-restore": try hold(faults)
                // The sockets are as they were, and the processes are about to run.
                case "pre-resume": connections?.processesRun()
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
        if case .interrupted = error, times.has("pre-resume") {
            throw .criu(verb: "restore", code: pid, log: "it was killed when the processes ran already")
        }
        throw error
    }

    private func know(_ pid: pid_t, _ underWay: CallUnderWay) throws(CheckpointError) {
        do throws(SystemError) { try underWay.made(initial: pid) } catch { throw .system(error) }
    }

    private func hold(_ faults: PageFaults?) throws(CheckpointError) {
        do throws(SystemError) { try faults?.hold() } catch { throw .system(error) }
    }

    private func renewProcfs(for pid: pid_t) throws(CheckpointError) {
        do throws(SystemError) {
            let namespace = try Namespace(.pid, of: pid)
            var step: UnsafePointer<CChar>?
            let (options, readOnly, masked) = (kept.procfsOptions, kept.procfsReadOnly, kept.procfsMasked)
            let code = CStringArray.withPointers(to: options) { optionPointers in
                CStringArray.withPointers(to: readOnly) { readOnlyPointers in
                    CStringArray.withPointers(to: masked) { maskedPointers in
                        var wanted = zp_procfs(
                            pid_namespace: namespace.descriptor.rawValue,
                            mount_namespace: kept.mount.descriptor.rawValue,
                            options: optionPointers, option_count: options.count, attributes: kept.procfsAttributes,
                            read_only: readOnlyPointers, read_only_count: readOnly.count,
                            masked: maskedPointers, masked_count: masked.count)
                        return zp_renew_procfs(&wanted, &step)
                    }
                }
            }
            if code < 0 {
                throw SystemError(step.map { String(cString: $0) } ?? "renew procfs", "pid \(pid)", code: -code)
            }
        } catch {
            throw .system(error)
        }
    }
}
