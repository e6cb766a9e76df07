/// The messages of containerd's interfaces to a shim, and the names that go with them.
///
/// Only the shapes belong here: what a message means is decided where it is handled. Names and field numbers are those
/// of containerd's published `.proto` files (1.6 to 2.4 agree where they overlap); the tests compare them with protoc's
/// reading of those files, `Tests/Support/PublishedFields`.
///
/// Messages of the Task service are called containerd.task.v2 here. In version 3 they are the same but for the package,
/// and the package is not on the wire.
package enum ServiceName {
    /// The Task service has two: the second is used by containerd 2.x, when the shim says version 3.
    package static let task = ["containerd.task.v2.Task", "containerd.task.v3.Task"]

    /// Where events are forwarded to.
    package static let events = "containerd.services.events.ttrpc.v1.Events"
}

package enum MetadataKey {
    /// Names containerd's namespace of a call (containerd, pkg/namespaces/ttrpc.go).
    package static let namespace = "containerd-namespace-ttrpc"
}

/// Types of the OCI runtime specification, which containerd puts into an `AnyMessage` as JSON
/// (containerd, pkg/oci and typeurl's `types.containerd.io` prefix).
package enum OCISpec {
    package static let spec = "types.containerd.io/opencontainers/runtime-spec/1/Spec"
    package static let process = "types.containerd.io/opencontainers/runtime-spec/1/Process"
    package static let resources = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"
    package static let features = "types.containerd.io/opencontainers/runtime-spec/1/features/Features"
}
