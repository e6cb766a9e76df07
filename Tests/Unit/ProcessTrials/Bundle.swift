import Glibc
import JSON
import Linux

extension Trial {
    /// A static one, from Debian's busybox-static.
    static let busybox = Command.find("busybox") ?? ""

    /// A bundle whose root file system is a static busybox.
    func bundle(
        _ arguments: [String], terminal: Bool = false, ownPids: Bool = true, name: String = "bundle"
    ) throws -> String {
        let bundle = "\(directory)/\(name)"
        try Files.makeDirectories("\(bundle)/rootfs/bin")
        try Files.write(try Files.read(Self.busybox), to: "\(bundle)/rootfs/bin/busybox", mode: 0o755)
        for applet in ["sh", "sleep", "cat", "echo", "seq", "true", "stty", "head", "wc", "kill"] {
            symlink("busybox", "\(bundle)/rootfs/bin/\(applet)")
        }
        let mount = { (path: String, type: String, options: JSON) -> JSON in
            ["destination": .string(path), "type": .string(type), "source": .string(type), "options": options]
        }
        let namespaces = ["mount", "ipc", "uts", "network"] + (ownPids ? ["pid"] : [])
        let document: JSON = [
            "ociVersion": "1.0.2",
            "root": ["path": "rootfs"],
            "hostname": "trial",
            "process": Self.process(arguments, terminal: terminal),
            "mounts": [
                mount("/proc", "proc", []),
                mount("/dev", "tmpfs", ["nosuid", "mode=755"]),
                mount("/dev/pts", "devpts", ["nosuid", "newinstance", "ptmxmode=0666", "mode=0620"]),
            ],
            "linux": ["namespaces": .array(namespaces.map { ["type": .string($0)] })],
        ]
        try Files.write(document.text, to: "\(bundle)/config.json")
        return bundle
    }

    static func process(_ arguments: [String], terminal: Bool = false) -> JSON {
        [
            "terminal": .bool(terminal), "cwd": "/", "env": ["PATH=/bin"],
            "args": .array(arguments.map(JSON.string)),
            "user": ["uid": 0, "gid": 0],
        ]
    }
}
