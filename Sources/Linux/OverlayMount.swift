import Glibc

/// Mounting an overlay as containerd describes it: its lower layers may be many, and may have to appear under other
/// owners.
struct OverlayMount {
    let target: String
    let flags: UInt
    /// Without the lower layers.
    let data: [String]
    let layers: [String]

    /// - Parameter data: the file system's options; `lowerdir` is among them.
    init(target: String, flags: UInt, data: [String]) {
        self.target = target
        self.flags = flags
        self.data = data.filter { !$0.hasPrefix(Self.lowerLayers) }
        layers =
            data.last { $0.hasPrefix(Self.lowerLayers) }.map {
                $0.dropFirst(Self.lowerLayers.count).split(separator: ":").map(String.init)
            } ?? []
    }

    /// mount(2) takes a page of options and cuts off the rest. containerd's margin, for the kernel's own.
    private static let mostOptions = 4096 - 512
    private static let lowerLayers = "lowerdir="

    func mount(owners: IDMapping?) throws(SystemError) {
        if let owners { return try mountMapped(owners) }
        let whole = options(layers)
        guard whole.utf8.count >= Self.mostOptions, let parent = commonParent else { return try mount(whole) }
        try mount(below: parent)
    }

    /// The layers are shown under other owners in a temporary place; the overlay keeps what it was given there.
    private func mountMapped(_ owners: IDMapping) throws(SystemError) {
        guard let parent = commonParent else {
            throw SystemError("find the common directory of", "\(layers)", code: EINVAL)
        }
        let namespace = try owners.namespace()
        let place = try Files.makeTemporaryDirectory(prefix: "/run/zeropod/owners-")
        defer {
            try? Mounting.unmountAll(place)
            rmdir(place)
        }
        try IDMapping.mount(parent, at: place, namespace, readOnly: true)
        try mount(below: place)
    }

    /// Names the layers by what follows their common parent, from a working directory that stands in for it.
    private func mount(below directory: String) throws(SystemError) {
        guard let parent = commonParent else { return }
        let before = try Descriptor.open(".", O_PATH | O_DIRECTORY)
        try retrying("chdir", directory) { chdir(directory) }
        defer { fchdir(before.rawValue) }
        try mount(options(layers.map { String($0.dropFirst(parent.count + 1)) }))
    }

    private func options(_ layers: [String]) -> String {
        (data + (layers.isEmpty ? [] : [Self.lowerLayers + layers.joined(separator: ":")])).joined(separator: ",")
    }

    private func mount(_ options: String) throws(SystemError) {
        if Glibc.mount("overlay", target, "overlay", flags, options) != 0 {
            throw .last("mount(overlay, \(options))", target)
        }
    }

    /// The deepest directory that all layers are below; nil if that is the root, or a layer's path is relative.
    var commonParent: String? {
        guard var common = layers.first?.split(separator: "/", omittingEmptySubsequences: false).dropLast() else {
            return nil
        }
        for layer in layers.dropFirst() {
            let parts = layer.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            let same = zip(common, parts).prefix { $0 == $1 }.count
            common = common.prefix(same)
        }
        // The first part of an absolute path is empty.
        return common.count > 1 && common.first == "" ? common.joined(separator: "/") : nil
    }
}
