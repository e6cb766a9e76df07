import Glibc
import Linux
import Runc
import StdIO

/// The containers that one shim process serves: those of a pod, or of a group of pods.
///
/// This room joins traffic and calls. It knows neither ttrpc nor containerd's messages; the task service translates
/// those into calls of `Shim` and `Container`.
package final class Shim {
    package let context: ShimContext
    private var containers: [String: Container] = [:]

    package init(context: ShimContext) {
        self.context = context
    }

    package var isEmpty: Bool { containers.isEmpty }

    /// In the order of their ids.
    package var all: [Container] { containers.values.sorted { $0.id < $1.id } }

    package func container(_ id: String) throws(ShimError) -> Container {
        guard let container = containers[id] else { throw ShimError(.notFound, "container \(id) not found") }
        return container
    }

    /// Images of a container that somebody has made with a Checkpoint call, perhaps on another node.
    package struct Origin: Sendable {
        let images: String
        /// For CRIU's log.
        let workDirectory: String

        package init(images: String, workDirectory: String) {
            self.images = images
            self.workDirectory = workDirectory
        }
    }

    /// What containerd wants created.
    package struct Creation {
        package var id: String
        package var bundle: String
        package var rootfs: [RootMount]
        package var streams: StreamPaths
        package var runtime: Runc.Options
        package var owner: ProcessIO.Owner
        /// Images that `start` shall restore, instead of running the program.
        package var origin: Origin?

        package init(
            id: String, bundle: String, rootfs: [RootMount], streams: StreamPaths, runtime: Runc.Options,
            owner: ProcessIO.Owner, origin: Origin? = nil
        ) {
            self.id = id
            self.bundle = bundle
            self.rootfs = rootfs
            self.streams = streams
            self.runtime = runtime
            self.owner = owner
            self.origin = origin
        }
    }

    /// Creates a container. Gives the pid of its init, which waits to be started.
    package func create(_ creation: Creation, _ then: @escaping Completion<pid_t>) {
        if containers[creation.id] != nil {
            return then(.failure(ShimError(.alreadyExists, "container \(creation.id) already exists")))
        }
        let container: Container
        do throws(ShimError) {
            container = try Container(creation, context)
        } catch {
            return then(.failure(error))
        }
        containers[creation.id] = container
        context.changed()
        func failed(_ error: ShimError) {
            container.leaveTarget()
            containers[creation.id] = nil
            then(.failure(error))
        }
        func create() {
            container.create(owner: creation.owner) { result in
                if case .failure(let error) = result { failed(error) } else { then(result) }
            }
        }
        guard let target = target(of: container) else { return create() }
        container.join(target) { result in
            if case .failure(let error) = result { failed(error) } else { create() }
        }
    }

    /// The container whose process namespace another one is to join.
    private func target(of container: Container) -> Container? {
        guard let pid = container.joinedProcess else { return nil }
        let others = containers.values.filter { $0 !== container && $0.main.exit == nil }
        // One that has the pid now comes before one that had it.
        return others.first { $0.main.pid == pid } ?? others.first { $0.main.toldPids.contains(pid) }
    }

    /// Deletes an ended container, or an ended exec of one.
    package func delete(
        _ id: String, exec: String, _ then: @escaping Completion<(pid: pid_t, exit: TaskProcess.Exit)>
    ) {
        let container: Container
        do throws(ShimError) { container = try self.container(id) } catch { return then(.failure(error)) }
        if !exec.isEmpty { return container.deleteExec(exec, then) }
        container.delete { [self] result in
            if case .success = result {
                container.leaveTarget()
                containers[id] = nil
                context.changed()
            }
            then(result)
        }
    }
}
