import DataPath
import Linux
import Shim

/// The `attach-network` action: loads the redirector of one pod. See `PodNetworks` for why this is a process.
package enum AttachNetwork {
    /// Gives what was done, for the log.
    package static func run(pod: String) throws(DataPathError) -> String {
        let namespace: Namespace
        do throws(SystemError) {
            // The shim waits for it before it takes the redirector away. If the shim is killed, nobody would.
            try Process.endWithParent()
            namespace = try Namespace(.network, path: "/proc/self/fd/\(PodNetworks.namespaceDescriptor)")
        } catch {
            throw .system(error)
        }
        do throws(SystemError) {
            // Nothing is read from the network without it, and so no container of the pod may sleep.
            try NetworkThread.attempt()
        } catch {
            throw .missing("system call filters (seccomp)", error)
        }
        return "\(try DataPathLoader.attach(pod: pod, networkNamespace: namespace))"
    }
}
