import Checkpoint
import ContainerdAPI
import DataPath
import Glibc
import Linux
import Protobuf
import Runc
import Shim
import TaskService

/// The `delete` action: removes what a shim that has died left of a container. containerd calls it in the bundle.
package struct DeleteCommand {
    private let invocation: Invocation

    package init(_ invocation: Invocation) {
        self.invocation = invocation
    }

    /// Exit status of a container that died with its shim: 128 + SIGKILL.
    private static let killed: UInt32 = 137

    /// Gives the answer for stdout, and problems for the log.
    package func run() throws(SystemError) -> (answer: [UInt8], problems: [String]) {
        let bundle = "."
        var problems: [String] = []
        let pid = (try? Files.readText("\(bundle)/init.pid")).flatMap { UInt32($0.filter { !$0.isWhitespace }) } ?? 0
        let options = RuntimeSettings.recall(from: bundle, namespace: invocation.namespace)

        do throws(SystemError) { try endProcesses(options) } catch { problems.append("\(error)") }
        let loop = try EventLoop()
        let children = try Children(loop: loop)
        let runc = Runc(container: invocation.id, bundle: bundle, options: options, loop: loop, children: children)
        runc.delete(force: true) { result in
            if case .failure(let error) = result, error.kind != .containerNotFound { problems.append("\(error)") }
            loop.stop()
        }
        try loop.run()

        do throws(SystemError) { try Mounting.unmountAll("\(bundle)/rootfs") } catch { problems.append("\(error)") }
        let paths = ShimContext.Paths()
        let snapshot = Snapshot(
            directory: paths.snapshot(namespace: invocation.namespace, container: invocation.id))
        do throws(SystemError) { try snapshot.remove() } catch { problems.append("\(error)") }
        // containerd also calls this after the ordinary deletion of a container, if it has been restarted since. Then the
        // shim lives on and may serve further containers of the pod.
        if !removeSocketOfDeadShim() { return (answer(pid), problems) }
        if let spec = try? OCISpec(bundle: bundle) {
            let pod = PodNetworks.name(of: spec, container: invocation.id, namespace: invocation.namespace)
            do throws(DataPathError) { try Redirector.detach(pod: pod) } catch { problems.append("\(error)") }
        }
        return (answer(pid), problems)
    }

    /// A restore that was under way may have gone on without its shim, and runc does not know of what it made.
    private func endProcesses(_ options: Runc.Options) throws(SystemError) {
        guard let cgroup = try? RuncState(root: options.root, container: invocation.id).cgroup else { return }
        defer { DumpAccount.removeLeft(beside: cgroup, container: invocation.id) }
        // Only a cgroup of the container's own, by its name; crun does not tell any.
        var own = cgroup.directories.filter { $0.value.containsText(invocation.id) }.map {
            Cgroup(directories: [$0: $1])
        }
        // And a dump.
        if let left = DumpAccount.left(beside: cgroup, container: invocation.id) { own.append(left) }
        let freezer = try? Freezer(of: cgroup)
        let deadline = Instant.now + Self.patience
        while Instant.now.nanoseconds < deadline.nanoseconds {
            // What is killed may just have started others, or be on its way from one hierarchy of v1 to the next.
            var (pids, failure): (Set<pid_t>, SystemError?) = ([], nil)
            for cgroup in own {
                do throws(SystemError) { pids.formUnion(try cgroup.processes()) } catch { failure = error }
            }
            // Those that are known are ended first.
            if pids.isEmpty, let failure { throw failure }
            let handles = pids.compactMap { try? ProcessHandle($0) }
            if handles.isEmpty { return }
            for handle in handles { handle.kill() }
            // Frozen or paused, they would end only when they go on.
            try? freezer?.thaw()
            for handle in handles { handle.waitForEnd(atMost: 500) }
        }
    }

    /// containerd gives the whole of it five seconds.
    private static let patience = Instant.Span.seconds(1)

    private func answer(_ pid: UInt32) -> [UInt8] {
        DeleteResponse {
            $0.pid = pid
            $0.exitStatus = Self.killed
            let now = WallClockTime.now
            $0.exitedAt = Timestamp(seconds: now.seconds, nanoseconds: now.nanoseconds)
        }.encoded()
    }

    /// Gives false if a shim answers there.
    private func removeSocketOfDeadShim() -> Bool {
        guard let address = ShimAddress(recordedIn: ".") else { return true }
        do throws(SystemError) {
            _ = try UnixSocket.connect(address.path, nonBlocking: true)
            return false
        } catch {
            // Its queue is full: it is alive, and busy.
            if error.code == EAGAIN { return false }
            if error.code == ECONNREFUSED {
                try? Files.remove(address.path)
                StatusSocket(ofShimAt: address.path).remove()
            }
            return true
        }
    }
}
