import Glibc
import Testing

@testable import Linux

/// Root file systems as containerd's snapshotters describe them. Each test has a mount namespace of its own: it runs in
/// a thread that leaves the others'.
@Suite(.enabled(if: geteuid() == 0, "needs root")) struct MountingTests {
    /// mount(2) cuts options off after a page: an image of many layers has more.
    @Test func anOverlayHasAnyNumberOfLayers() throws {
        try Scratch.run { scratch in
            let layers = (1...60).map { "\(scratch)/\(String(repeating: "a", count: 80))/layer-\($0)/fs" }
            for (number, layer) in layers.enumerated() {
                try Files.makeDirectories(layer)
                try Files.write("\(number)", to: "\(layer)/file-\(number)")
            }
            try scratch.mountOverlay(layers)
            #expect(try Files.readText("\(scratch)/root/file-0") == "0")
            #expect(try Files.readText("\(scratch)/root/file-59") == "59")
            try Files.write("new", to: "\(scratch)/root/new")
            #expect(try Files.readText("\(scratch)/upper/new") == "new")
        }
    }

    @Test func ownersOfAnOverlayAreMapped() throws {
        try Scratch.run { scratch in
            let layer = "\(scratch)/layers/one/fs"
            try Files.makeDirectories(layer)
            try Files.write("content", to: "\(layer)/file")
            try scratch.mountOverlay([layer], ["uidmap=0:200000:65536", "gidmap=0:300000:1,1:200001:65535"])
            var status = stat()
            #expect(stat("\(scratch)/root/file", &status) == 0)
            #expect(status.st_uid == 200_000)
            #expect(status.st_gid == 300_000)
            #expect(try Files.readText("\(scratch)/root/file") == "content")
        }
    }

    @Test func ownersOfABoundDirectoryAreMapped() throws {
        try Scratch.run { scratch in
            try Files.makeDirectories("\(scratch)/source")
            try Files.makeDirectories("\(scratch)/root")
            try Files.write("content", to: "\(scratch)/source/file")
            try Mounting.mount(
                type: "bind", source: "\(scratch)/source", target: "\(scratch)/root",
                options: ["rbind", "uidmap=0:200000:65536", "gidmap=0:200000:65536"])
            var status = stat()
            #expect(stat("\(scratch)/root/file", &status) == 0)
            #expect(status.st_uid == 200_000)
        }
    }

    @Test func aWrongMapIsToldWithItsText() throws {
        try Scratch.run { scratch in
            try Files.makeDirectories("\(scratch)/layers/one")
            let error = #expect(throws: SystemError.self) {
                try scratch.mountOverlay(["\(scratch)/layers/one"], ["uidmap=nonsense", "gidmap=0:1:1"])
            }
            #expect(error?.description.contains("nonsense") == true)
        }
    }

    @Test(arguments: [
        (["/a/b/1/fs", "/a/b/2/fs"], "/a/b"), (["/a/b/1", "/a/b/12"], "/a/b"), (["/a/b"], "/a"), (["/a", "/b"], nil),
        (["a/b", "a/c"], nil), ([], nil),
    ])
    func layersHaveACommonParent(_ layers: [String], _ expected: String?) {
        let data = layers.isEmpty ? [] : ["lowerdir=\(layers.joined(separator: ":"))"]
        #expect(OverlayMount(target: "/", flags: 0, data: data).commonParent == expected)
    }
}

/// A tmpfs in a mount namespace that only the calling thread is in.
private struct Scratch: CustomStringConvertible {
    let description: String

    static func run(_ body: @Sendable @escaping (Scratch) throws -> Void) throws {
        let outcome = Outcome()
        var thread = pthread_t()
        outcome.body = body
        let context = Unmanaged.passRetained(outcome)
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Outcome>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        pthread_join(thread, nil)
        if let error = outcome.error { throw error }
    }

    func mountOverlay(_ layers: [String], _ more: [String] = []) throws {
        for name in ["root", "upper", "work"] { try Files.makeDirectories("\(self)/\(name)") }
        try Mounting.mount(
            type: "overlay", source: "overlay", target: "\(self)/root",
            options: [
                "workdir=\(self)/work", "upperdir=\(self)/upper", "lowerdir=\(layers.joined(separator: ":"))",
                "index=off",
            ] + more)
    }
}

private final class Outcome: @unchecked Sendable {
    var body: ((Scratch) throws -> Void)?
    var error: (any Error)?

    func run() {
        do {
            // Also a working directory of its own.
            guard unshare(CLONE_NEWNS | CLONE_FS) == 0, mount("", "/", nil, UInt(MS_PRIVATE | MS_REC), nil) == 0
            else { throw SystemError.last("unshare") }
            let place = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-mounts-")
            defer { rmdir(place) }
            try Mounting.mount(type: "tmpfs", source: "none", target: place, options: [])
            defer { try? Mounting.unmountAll(place) }
            try body?(Scratch(description: place))
        } catch {
            self.error = error
        }
    }
}
