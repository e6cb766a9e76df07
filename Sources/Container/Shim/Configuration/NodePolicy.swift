import Lifecycle
import Linux

/// What the operator of a node allows its pods: `/etc/zeropod/node.conf`, lines of `key = value`. Read by each shim when
/// it is started; without the file the defaults hold.
package struct NodePolicy: Equatable, Sendable {
    /// Pods of one Kubernetes namespace may share a shim by the annotation `io.containerd.runc.v2.group`.
    package var groups = true
    /// Nanoseconds: the shortest `scaledown-duration` that a pod may have.
    package var shortestIdle: UInt64 = 1_000_000_000
    /// Nanoseconds: the same until a container's first sleep.
    package var shortestFirstIdle: UInt64 = 0
    /// Nanoseconds after its start in which processes at work put off a container's first sleep.
    package var longestStart = Policy.longestStart
    /// How often a pod may fall asleep in a minute, in the long run and at once.
    package var sleepsPerMinute = 20
    /// How many containers of the node may be restored at the same time; 0: twice as many as it has processors, four at
    /// least.
    package var wakesAtOnce = 0
    /// Bytes of images of one pod, and of all pods; nil: as much as the disk takes.
    package var podImages: UInt64?
    package var nodeImages: UInt64?
    /// Nanoseconds that the images of a failed restore are kept.
    package var failedImages: UInt64 = 7 * 24 * 3600 * 1_000_000_000

    /// Images are encrypted, or the container is frozen.
    package var encryptImages = false

    /// Addresses besides the node's own from which a kubelet asks, IPv4 mapped as in `SocketAddress`. Some meshes put one
    /// of theirs in the place of the kubelet's.
    package var probeSources: Set<UInt128> = []

    package static let file = "/etc/zeropod/node.conf"

    package init() {}

    /// - Throws: names the line that cannot be understood.
    package static func read(_ file: String = file) throws(NodePolicyError) -> NodePolicy {
        let text: String
        do throws(SystemError) {
            text = try Files.readText(file)
        } catch {
            if error.code == SystemError.noSuchFile { return NodePolicy() }
            throw NodePolicyError(description: error.description)
        }
        return try NodePolicy(parsing: text, file)
    }

    package init(parsing text: String, _ file: String = file) throws(NodePolicyError) {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split(separator: "=", maxSplits: 1).map {
                $0.filter { !$0.isWhitespace }
            }
            if words.allSatisfy(\.isEmpty) { continue }
            guard words.count == 2, set(words[0], to: words[1]) else {
                throw NodePolicyError(
                    description: "\(file), line \(number + 1): \"\(line)\" is not one of \(Self.keys)")
            }
        }
    }

    private static let keys =
        "groups = on|off, shortest-idle = DURATION, shortest-first-idle = DURATION, longest-start = DURATION,"
        + " sleeps-per-minute = N, wakes-at-once = N, pod-images = BYTES, node-images = BYTES, failed-images = DURATION,"
        + " encrypt-images = on|off, probe-sources = ADDRESS,..."

    private mutating func set(_ key: String, to value: String) -> Bool {
        switch key {
        case "groups": return Self.set(&groups, Self.switches[value])
        case "encrypt-images": return Self.set(&encryptImages, Self.switches[value])
        case "shortest-idle": return Self.set(&shortestIdle, GoDuration.parse(value))
        case "shortest-first-idle": return Self.set(&shortestFirstIdle, GoDuration.parse(value))
        case "longest-start": return Self.set(&longestStart, GoDuration.parse(value))
        case "failed-images": return Self.set(&failedImages, GoDuration.parse(value))
        case "sleeps-per-minute":
            return Self.set(&sleepsPerMinute, Int(value).flatMap { (1...100_000) ~= $0 ? $0 : nil })
        case "wakes-at-once": return Self.set(&wakesAtOnce, Int(value).flatMap { (1...100_000) ~= $0 ? $0 : nil })
        case "pod-images": return Self.set(&podImages, UInt64(value).map(Optional.some))
        case "node-images": return Self.set(&nodeImages, UInt64(value).map(Optional.some))
        case "probe-sources": return Self.set(&probeSources, Self.addresses(value))
        default: return false
        }
    }

    private static let switches = ["on": true, "off": false]

    private static func addresses(_ text: String) -> Set<UInt128>? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let addresses = parts.compactMap { SocketAddress(String($0), port: 0)?.address }
        return addresses.count == parts.count && addresses.count <= 64 ? Set(addresses) : nil
    }

    private static func set<Value>(_ field: inout Value, _ value: Value?) -> Bool {
        guard let value else { return false }
        field = value
        return true
    }
}

/// What the operator's file says cannot be understood: then nothing is created, rather than without the limits.
package struct NodePolicyError: Error, Equatable, CustomStringConvertible {
    package let description: String
}
