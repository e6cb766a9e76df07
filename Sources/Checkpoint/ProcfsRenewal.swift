import CLinux
import Glibc
import Linux

/// A new /proc for a container that is being restored: the old one belongs to the pid namespace that is gone.
///
/// It waits for a process and, to take the old one away, for an RCU grace period. So it begins as soon as there is a pid
/// namespace, while CRIU sets up the rest, on a thread that is there before: to start it takes as long again.
final class ProcfsRenewal: Sendable {
    private let kept: KeptContainer
    /// The pid namespace; nil: it is not wanted any more.
    private let wanted: Promise<SharedDescriptor?>
    private let outcome: Promise<Result<Void, CheckpointError>>
    private let thread: Promise<JoinedThread?>

    init(_ kept: KeptContainer) throws(SystemError) {
        self.kept = kept
        wanted = try Promise()
        outcome = try Promise()
        thread = try Promise()
    }

    /// Starts the thread, once there is somebody who will `end` it.
    func start() {
        do throws(SystemError) {
            thread.keep(
                try JoinedThread("procfs") { [self] in
                    outcome.keep(Result { () throws(CheckpointError) in try work() })
                })
        } catch {
            thread.keep(nil)
            // No process has run yet.
            outcome.keep(.failure(.notBegun(error)))
        }
    }

    private func work() throws(CheckpointError) {
        do throws(SystemError) {
            if let pids = wanted.wait() { try kept.renewProcfs(for: pids.descriptor) }
        } catch {
            // The file that has hidden a path is gone, and does not come back.
            throw error.code == ESTALE ? .lossy(reason: "\(error)") : .system(error)
        }
    }

    /// - Parameter initial: the init of the new pid namespace, which waits.
    func begin(for initial: pid_t) throws(SystemError) {
        wanted.keep(SharedDescriptor(try Namespace(.pid, of: initial).descriptor.duplicate()))
    }

    /// Blocks until it is done.
    func finish() throws(CheckpointError) { try outcome.wait().get() }

    /// Blocks until nothing is done any more. Once.
    func end() {
        wanted.keep(nil)
        thread.wait()?.join()
    }
}

extension KeptContainer {
    /// For a thread that ends after that.
    fileprivate func renewProcfs(for pids: borrowing Descriptor) throws(SystemError) {
        var step: UnsafePointer<CChar>?
        let (options, readOnly, masked) = (procfsOptions, procfsReadOnly, procfsMasked)
        let code = CStringArray.withPointers(to: options) { optionPointers in
            CStringArray.withPointers(to: readOnly) { readOnlyPointers in
                CStringArray.withPointers(to: masked) { maskedPointers in
                    var wanted = zp_procfs(
                        pid_namespace: pids.rawValue, network_namespace: network.descriptor.rawValue,
                        mount_namespace: mount.descriptor.rawValue,
                        options: optionPointers, option_count: options.count, attributes: procfsAttributes,
                        read_only: readOnlyPointers, read_only_count: readOnly.count,
                        masked: maskedPointers, masked_count: masked.count)
                    return zp_renew_procfs(&wanted, &step)
                }
            }
        }
        if code < 0 { throw SystemError(step.map { String(cString: $0) } ?? "renew procfs", "", code: -code) }
    }
}
