/// What the kubelet would say about a pod.
package struct PodConfig: Sendable {
    package var name: String
    package var namespace = "default"
    package var uid: String
    package var logDirectory: String
    package var annotations: [String: String] = [:]
    package var labels: [String: String] = [:]
    /// Host ports by container port.
    package var hostPorts: [Int: Int] = [:]
    package var cgroupParent = ""
    package var namespaces = NamespaceOptions()
    package var sysctls: [String: String] = [:]
    package var privileged = false

    package init(name: String, uid: String, logDirectory: String) {
        self.name = name
        self.uid = uid
        self.logDirectory = logDirectory
    }

    var message: Message {
        Message {
            $0.set(1) {
                $0.set(1, name)
                $0.set(2, uid)
                $0.set(3, namespace)
            }
            // On the node's network it has the node's name.
            if namespaces.network == .pod { $0.set(2, name) }
            $0.set(3, logDirectory)
            for (container, host) in hostPorts {
                $0.set(5) {
                    $0.set(2, container)
                    $0.set(3, host)
                }
            }
            $0.set(6, labels)
            $0.set(7, annotations)
            $0.set(8) {
                $0.set(1, cgroupParent)
                $0.set(2) {
                    $0.set(1, namespaces.message)
                    $0.set(6, privileged)
                }
                $0.set(3, sysctls)
            }
        }
    }
}
