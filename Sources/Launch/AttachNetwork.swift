import DataPath
import Linux
import Shim

/// The `attach-network` action: loads the redirector of one pod. See `PodNetworks` for why this is a process.
package enum AttachNetwork {
    /// Gives what was done, for the log.
    package static func run(pod: String) throws(DataPathError) -> String {
        let namespace: Namespace
        do throws(SystemError) {
            namespace = try Namespace(.network, path: "/proc/self/fd/\(PodNetworks.namespaceDescriptor)")
        } catch {
            throw .system(error)
        }
        return try DataPathLoader.attach(pod: pod, networkNamespace: namespace).description
    }
}
