import Linux
import StatusAPI

/// Where a shim tells programs of the node what its containers do. Named as the socket that it serves containerd on.
struct StatusSocket {
    let path: String

    init(ofShimAt path: String) {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        self.path = "\(StatusService.directory)/\(name).sock"
    }

    /// What lies there was left by a shim of the same address that has died: that address is ours now.
    func listen() throws(SystemError) -> Descriptor {
        try Files.makeDirectories(StatusService.directory, mode: 0o700)
        try? Files.remove(path)
        return try UnixSocket.listen(path, backlog: 16)
    }

    func remove() {
        try? Files.remove(path)
    }
}
