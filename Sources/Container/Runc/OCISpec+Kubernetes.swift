/// What containerd's CRI plugin writes into a container's annotations (its pkg/cri/annotations).
extension OCISpec {
    package enum ContainerType: String, Sendable {
        case sandbox
        case container
    }

    /// Nil for containers that were not made by the CRI plugin.
    package var containerType: ContainerType? {
        annotations["io.kubernetes.cri.container-type"].flatMap(ContainerType.init(rawValue:))
    }

    package var sandboxID: String? { annotations["io.kubernetes.cri.sandbox-id"] }
    package var containerName: String? { annotations["io.kubernetes.cri.container-name"] }
    package var podName: String? { annotations["io.kubernetes.cri.sandbox-name"] }
    package var podNamespace: String? { annotations["io.kubernetes.cri.sandbox-namespace"] }
    package var podUID: String? { annotations["io.kubernetes.cri.sandbox-uid"] }
}
