import Checkpoint
import DataPath
import Linux

/// The checkpoints and restores that ship.
extension CRIU {
    func checkpoint(_ order: CheckpointOrder, _ then: @escaping (Result<WayBack, CheckpointError>) -> Void) {
        locate { [self] found in
            do throws(CheckpointError) {
                let program = try found.get()
                if !order.mayGoOn() { throw .givenUp }
                try dump(order, with: program, then)
            } catch {
                loop.soon { then(.failure(error)) }
            }
        }
    }

    private func dump(
        _ order: CheckpointOrder, with program: Program, _ then: @escaping (Result<WayBack, CheckpointError>) -> Void
    ) throws(CheckpointError) {
        let (snapshot, mayEnd) = (order.snapshot, order.mayEnd)
        let kept: KeptContainer
        do throws(SystemError) { kept = try keep(order) } catch { throw .system(error) }
        if kept.users != nil && !program.keepsUserNamespaces {
            throw .lossy(
                reason: "\(program.path) would make the processes in another user namespace: "
                    + "install the criu that comes with zeropod")
        }
        let dump: Dump
        do throws(SystemError) { dump = try prepare(order, kept, program.path) } catch { throw .system(error) }
        dump.run(
            order.underWay, loop: loop, children: children, mayGoOn: order.mayGoOn,
            loss: { pids throws(SystemError) in try TaskIterator.loss(of: pids) },
            mayEnd: { descriptors throws(SystemError) in try mayEnd(descriptors.endpoints) },
            then: { [self] result in
                then(result.map { WayBack(CRIURestores($0, snapshot, loop: loop, children: children), $0) })
            })
    }

    private func keep(_ order: CheckpointOrder) throws(SystemError) -> KeptContainer {
        let kept = try KeptContainer(
            of: order.pid, keyrings: ["_ses.\(order.container)", order.container],
            inhabitedBy: order.isInScope ? children : nil)
        order.times.reached("kept")
        return kept
    }

    private func prepare(
        _ order: CheckpointOrder, _ kept: KeptContainer, _ program: String
    ) throws(SystemError) -> Dump {
        let unnamed = Process.unnamedBytes(of: try order.cgroup?.processes() ?? [order.pid])
        return Dump(
            criu: try order.snapshot.hold(program), pid: order.pid, root: order.root, kept: kept,
            account: account(order),
            snapshot: order.snapshot, memory: order.memory + min(unnamed, .max / 4),
            // In a user namespace of its own nobody may have page faults of the kernel brought to a server (userfaultfd(2)).
            mayWakeLazily: order.mayWakeLazily && kept.users == nil, clock: order.clock, times: order.times)
    }

    private func account(_ order: CheckpointOrder) -> DumpAccount? {
        guard let cgroup = order.cgroup else { return nil }
        do throws(SystemError) {
            return try DumpAccount(of: cgroup, container: order.container, images: order.snapshot.directory)
        } catch {
            order.notCharged(error)
            return nil
        }
    }
}

extension WayBack {
    fileprivate init(_ restores: CRIURestores, _ outcome: Dump.Outcome) {
        let sleeper = outcome.sleeper
        self.init(
            dispositions: outcome.dispositions, lazyMemory: outcome.lazyMemory.size,
            placeholder: sleeper.kept.placeholder?.pid, earliestTimer: { sleeper.earliestTimer },
            prepare: { prestart, isLazy throws(SystemError) in try restores.prepare(prestart, isLazy: isLazy) },
            restore: { restores.restore($0, $1) }, letGo: { sleeper.descriptors.close() })
    }
}

/// The restores from one checkpoint.
private final class CRIURestores {
    private let sleeper: Sleeper
    private let lazyMemory: LazyMemory
    private let snapshot: Snapshot
    private let loop: EventLoop
    private let children: Children
    /// criu, as far as it is made ready. It ends with this object.
    private var prepared: CRIUService?

    init(_ outcome: Dump.Outcome, _ snapshot: Snapshot, loop: EventLoop, children: Children) {
        (sleeper, lazyMemory) = (outcome.sleeper, outcome.lazyMemory)
        (self.snapshot, self.loop, self.children) = (snapshot, loop, children)
    }

    func prepare(_ prestart: CRIUService.Prestart, isLazy: Bool) throws(SystemError) {
        prepared = try Restore(sleeper: sleeper, snapshot: snapshot, isLazy: isLazy, times: StepTimes(from: .now))
            .prepare(prestart, children: children)
    }

    func restore(_ order: RestoreOrder, _ then: @escaping (Result<Restored, CheckpointError>) -> Void) {
        let restore = Restore(sleeper: sleeper, snapshot: snapshot, isLazy: order.isLazy, times: order.times)
        let begun: Restore.Begun
        let pages: PageServer?
        do throws(SystemError) {
            begun = try restore.begin(with: prepared.take(), children: children)
            do throws(SystemError) {
                pages =
                    order.isLazy
                    ? try PageServer(sleeper.criu.path, snapshot, lazyMemory, children: children) : nil
            } catch {
                begun.giveUp()
                throw error
            }
        } catch {
            return loop.soon { then(.failure(.notBegun(error))) }
        }
        restore.run(
            order.underWay, begun, pages: pages, loop: loop, children: children, aboutToRun: order.aboutToRun,
            resuming: order.resuming,
            then: { result in
                if case .failure = result { pages?.end() }
                then(result.map { Restored(pid: $0, pages: pages.map(PagesToCome.init)) })
            })
        snapshot.readAhead()
    }
}

extension PagesToCome {
    fileprivate init(_ server: PageServer) {
        self.init(end: { server.end() }, letGo: { server.letGo() }, whenEnded: { server.whenEnded($0) })
    }
}
