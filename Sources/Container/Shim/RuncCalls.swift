import Glibc
import Linux
import Runc

/// What one container needs of runc, as a value: `Runc` is behind it in what ships, a stand-in in tests. Each calls back on
/// the loop, never before it has returned.
package struct RuncCalls {
    let options: Runc.Options
    let create: (Runc.ProcessStreams, @escaping Runc.Completion<pid_t>) -> Void
    let start: (@escaping Runc.Completion<Void>) -> Void
    /// From images, and the directory for CRIU's log.
    let restore: (String, String, Runc.ProcessStreams, @escaping Runc.Completion<pid_t>) -> Void
    let exec: ([UInt8], Runc.ProcessStreams, @escaping Runc.Completion<pid_t>) -> Void
    /// A signal, to all processes or to the init.
    let kill: (Int32, Bool, @escaping Runc.Completion<Void>) -> Void
    /// By force: what runs is ended first.
    let delete: (@escaping Runc.Completion<Void>) -> Void
    let pause: (@escaping Runc.Completion<Void>) -> Void
    let resume: (@escaping Runc.Completion<Void>) -> Void
    let update: ([UInt8], @escaping Runc.Completion<Void>) -> Void
    /// The same for a container without processes.
    let updateAsleep: ([UInt8], @escaping Runc.Completion<Void>) -> Void
    /// To images, and the directory for CRIU's log.
    let checkpoint: (String, String, Runc.CheckpointOptions, @escaping Runc.Completion<Void>) -> Void
    /// The process is the container's init from now on.
    let adopt: (pid_t) throws(SystemError) -> Void
}

extension RuncCalls {
    init(_ runc: Runc) {
        options = runc.options
        create = { runc.create($0, $1) }
        start = { runc.start($0) }
        restore = { runc.restore(images: $0, workDirectory: $1, $2, $3) }
        exec = { runc.exec(process: $0, $1, $2) }
        kill = { runc.kill($0, all: $1, $2) }
        delete = { runc.delete(force: true, $0) }
        pause = { runc.pause($0) }
        resume = { runc.resume($0) }
        update = { runc.update(resources: $0, $1) }
        updateAsleep = { runc.updateAsleep(resources: $0, $1) }
        checkpoint = { runc.checkpoint(images: $0, workDirectory: $1, $2, $3) }
        adopt = { pid throws(SystemError) in
            try RuncState.adopt(pid, root: runc.options.root, container: runc.container)
        }
    }
}
