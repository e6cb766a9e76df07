import Linux
import Runc
import Shim

/// What containers share a shim by: their pod, or a name that pods of one Kubernetes namespace have in common.
package enum ShimGroup {
    /// The name is chosen by whoever makes the pod. So it means nothing to another namespace, and is never taken for the
    /// id of a pod.
    package static func name(
        ofBundle bundle: String, container id: String, _ policy: NodePolicy
    ) throws(SystemError) -> String {
        let spec = try OCISpec(bundle: bundle)
        guard policy.groups, let name = spec.annotations["io.containerd.runc.v2.group"], !name.isEmpty else {
            return spec.sandboxID ?? id
        }
        return "group/\(spec.podNamespace ?? "")/\(name)"
    }
}
