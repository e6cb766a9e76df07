import Linux

/// How much of a busy processor a container's cgroup gets beside others, and its pod's. Of a container that sleeps the
/// daemon lowers the requests, and the kubelet these with them; the way back over the API server takes seconds, in which
/// criu would stand in line behind all others of the node. So the shim gives back what was lowered, before criu
/// starts, and nobody takes it away again: the kubelet writes the same numbers once it has heard of the wake.
///
/// Limits of processor time (quotas) are not lowered by a sleep, and stay.
package struct ProcessorShares: Equatable, Sendable {
    private struct Share: Equatable, Sendable {
        let file: String
        let value: UInt64
    }

    /// The pod's first: what it has the container is given a part of.
    private let shares: [Share]

    /// What holds now, before the container sleeps.
    ///
    /// - Parameter isInPod: the group above is a pod's, and not one of the node's.
    package init(of cgroup: Cgroup, isInPod: Bool = true) {
        let place =
            cgroup.isUnified ? (cgroup.directories[""], "cpu.weight") : (cgroup.directories["cpu"], "cpu.shares")
        guard let directory = place.0 else {
            shares = []
            return
        }
        let parent = directory.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        shares = (isInPod ? [parent, directory] : [directory]).compactMap { directory in
            let file = "\(directory)/\(place.1)"
            return Self.read(file).map { Share(file: file, value: $0) }
        }
    }

    /// Raises what is lower now. What somebody has raised meanwhile stays.
    ///
    /// - Returns: whether anything was.
    package func giveBack() -> Bool {
        var hasRaised = false
        for share in shares {
            guard let now = Self.read(share.file), now < share.value else { continue }
            if (try? Files.write("\(share.value)", to: share.file)) != nil { hasRaised = true }
        }
        return hasRaised
    }

    private static func read(_ file: String) -> UInt64? {
        (try? Files.readText(file)).flatMap { UInt64($0.filter { !$0.isWhitespace }) }
    }
}
