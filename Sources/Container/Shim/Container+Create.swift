import Glibc
import Linux
import Runc
import StdIO

extension Container {
    convenience init(_ creation: Shim.Creation, _ context: ShimContext) throws(ShimError) {
        let spec: OCISpec
        do throws(SystemError) {
            spec = try OCISpec(bundle: creation.bundle)
        } catch {
            throw ShimError(error)
        }
        let configuration: ContainerConfiguration
        do throws(AnnotationError) {
            configuration = try ContainerConfiguration(
                annotations: spec.annotations, container: spec.containerName, on: context.policy)
        } catch {
            throw ShimError(.invalidArgument, error.description)
        }
        self.init(
            id: creation.id, bundle: creation.bundle, rootfs: creation.rootfs, streams: creation.streams,
            runc: context.outside.runc(creation.id, creation.bundle, creation.runtime), spec: spec,
            configuration: configuration, origin: creation.origin, context: context)
    }

    /// Mounts the root file system and lets runc create the container. What fails leaves nothing behind. A container that
    /// is to be restored has no process before its start.
    func create(owner: ProcessIO.Owner, _ then: @escaping Completion<pid_t>) {
        func failed(_ error: ShimError) {
            main.io?.close {}
            try? Mounting.unmountAll(root)
            then(.failure(error))
        }
        do throws(SystemError) {
            try mountRoot()
            main.io = try makeIO(main.streams, owner: owner)
        } catch {
            return failed(ShimError(error))
        }
        main.io?.whenReady { [self] result in
            if case .failure(let error) = result { return failed(ShimError(error)) }
            if origin != nil {
                announce()
                return then(.success(0))
            }
            runc.create(streams(of: main)) { [self] result in
                switch result {
                case .failure(let error): failed(ShimError(error))
                case .success(let pid):
                    created(pid)
                    then(.success(pid))
                }
            }
        }
    }

    private func created(_ pid: pid_t) {
        take(pid)
        announce()
        awaitExit(of: pid)
    }

    private func announce() {
        for reason in lifecycle.reasons.descriptions { context.log.debug("stays awake: \(reason)", label) }
        context.publish(
            .created(id: id, bundle: bundle, rootfs: rootfs, streams: main.streams, pid: main.pid))
    }

    /// The init that runc has made: what of it is followed, but for its end.
    func take(_ pid: pid_t) {
        main.io?.release()
        main.exists(as: pid)
        do throws(SystemError) {
            let cgroup = try context.outside.cgroup(pid)
            self.cgroup = cgroup
            outOfMemory = try OutOfMemoryWatch(of: cgroup, loop: context.loop) { [weak self, context, id] in
                context.publish(.outOfMemory(id: id))
                // A process that is ended while it stands still ends when it goes on.
                self?.tell { $0.state == .frozen ? $0.connectionHeld() : [] }
            }
        } catch {
            // The container has ended already; its exit is on its way.
            context.log.debug("cannot watch the control groups: \(error)", label)
        }
    }

    private func mountRoot() throws(SystemError) {
        if rootfs.isEmpty { return }
        try Files.makeDirectories(root, mode: 0o711)
        for mount in rootfs {
            // A target names a place below the root, for snapshotters that give several mounts.
            try Mounting.mount(
                type: mount.type, source: mount.source, target: mount.target.isEmpty ? root : "\(root)/\(mount.target)",
                options: mount.options)
        }
    }

    func makeIO(_ streams: StreamPaths, owner: ProcessIO.Owner = .init()) throws(SystemError) -> ProcessIO {
        let (log, id) = (context.log, id)
        return try ProcessIO(
            streams, owner: owner, identity: .init(container: id, namespace: context.namespace), loop: context.loop,
            children: context.children, report: { log.warning($0, ["container": id]) })
    }

    func streams(of process: TaskProcess) -> Runc.ProcessStreams {
        Runc.ProcessStreams(descriptors: process.io?.descriptors, consoleSocket: process.io?.consoleSocket)
    }
}
