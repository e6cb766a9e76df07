import Checkpoint
import Glibc
import Linux
import Runc

/// What containers need of the world outside of this process, as values: a test lets the same containers live with
/// stand-ins in their place. The pod's network is not among it, but for its beginning: containers live without it, too.
package struct Outside {
    /// runc, for a container with this id in this bundle.
    var runc: (_ container: String, _ bundle: String, Runc.Options) -> RuncCalls
    /// Makes images of processes, and ends them. Calls back on the loop, never before it has returned.
    var checkpoint: (CheckpointOrder, @escaping (Result<WayBack, CheckpointError>) -> Void) -> Void
    /// The control groups of a process.
    var cgroup: (pid_t) throws(SystemError) -> Cgroup
    var signal: (Int32, pid_t) throws(SystemError) -> Void
    /// Lets all processes stand still. Gives what lets them go on.
    var freeze: (Cgroup) throws(SystemError) -> Thaw
    /// Follows the traffic of the pod, as one container uses it.
    var followTraffic: (Container, @escaping (Result<Traffic, TrafficError>) -> Void) -> Void
    /// Gives memory of this process back that it has no use for.
    ///
    /// - Parameter andProgram: nothing is about to happen, so the program goes, too.
    var giveMemoryBack: (_ andProgram: Bool) -> Void

    typealias Thaw = () throws(SystemError) -> Void
}

extension Outside {
    /// What ships.
    init(_ paths: ShimContext.Paths, loop: EventLoop, children: Children) {
        let criu = CRIU(paths, loop: loop, children: children)
        runc = { container, bundle, options in
            RuncCalls(Runc(container: container, bundle: bundle, options: options, loop: loop, children: children))
        }
        checkpoint = { criu.checkpoint($0, $1) }
        cgroup = { pid throws(SystemError) in try Cgroup(of: pid) }
        signal = { signal, pid throws(SystemError) in try Process.signal(signal, to: pid) }
        freeze = { cgroup throws(SystemError) in
            let freezer = try Freezer(of: cgroup)
            try freezer.freeze()
            return { () throws(SystemError) in try freezer.thaw() }
        }
        followTraffic = { Traffic.prepare(for: $0, $1) }
        giveMemoryBack = { andProgram in
            Memory.giveBack()
            if andProgram { Memory.unmapProgram() }
        }
    }
}
