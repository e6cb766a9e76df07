/// The messages of the status service: what a shim tells of its containers, and the two things it may be asked to do.
///
/// Every shim listens at a socket below `/run/zeropod/s` for programs of the node: `zeropod status`, and the daemon that
/// makes metrics and labels of it. It is a service of its own, apart from containerd's, so that a program that may look
/// need not be one that may kill. The methods:
///
/// - `List` (`Empty`) → `StatusList`: the containers as they are.
/// - `Watch` (`WatchRequest`) → `StatusList`: the same, as soon as it differs from what the caller has seen.
/// - `Sleep` (`ContainerRequest`) → `Empty`: puts a container to sleep now.
/// - `Wake` (`ContainerRequest`) → `Empty`: answered once it is awake.
package enum StatusService {
    package static let name = "zeropod.status.v1.Status"

    /// Where the sockets are.
    package static let directory = "/run/zeropod/s"
}
