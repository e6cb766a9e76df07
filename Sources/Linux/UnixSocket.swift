import CLinux
import Glibc

/// Stream sockets in the file system.
package enum UnixSocket {
    /// Binds and listens, without blocking in `accept`. The file is made with mode 0600.
    package static func listen(_ path: String, backlog: Int32 = 128) throws(SystemError) -> Descriptor {
        let socket = try make()
        let before = umask(0o177)
        defer { umask(before) }
        try withAddress(path) { address, length throws(SystemError) in
            try retrying("bind", path) { bind(socket.rawValue, address, length) }
        }
        try retrying("listen", path) { Glibc.listen(socket.rawValue, backlog) }
        try socket.setNonBlocking()
        return socket
    }

    /// - Parameter nonBlocking: never wait: a listener whose queue is full gives EAGAIN.
    package static func connect(_ path: String, nonBlocking: Bool = false) throws(SystemError) -> Descriptor {
        let socket = try make()
        if nonBlocking { try socket.setNonBlocking() }
        try withAddress(path) { address, length throws(SystemError) in
            try retrying("connect", path) { Glibc.connect(socket.rawValue, address, length) }
        }
        return socket
    }

    /// The path in an address as containerd writes it: `unix:///run/a.sock`, or the path alone.
    package static func path(ofAddress address: String) -> String {
        address.hasPrefix("unix://") ? String(address.dropFirst("unix://".count)) : address
    }

    /// Accepts one connection, non-blocking; nil if none waits.
    package static func accept(_ listener: borrowing Descriptor) throws(SystemError) -> Descriptor? {
        do {
            return Descriptor(
                owning: try retrying("accept4") {
                    accept4(
                        listener.rawValue, __SOCKADDR_ARG(__sockaddr__: nil), nil,
                        Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
                })
        } catch {
            // The connection may be gone again before it was accepted.
            if error.code == EAGAIN || error.code == ECONNABORTED { return nil }
            throw error
        }
    }

    /// The path that a socket is bound to.
    package static func localPath(of socket: borrowing Descriptor) throws(SystemError) -> String {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        _ = try withUnsafeMutablePointer(to: &address) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address throws(SystemError) in
                try retrying("getsockname") {
                    getsockname(socket.rawValue, __SOCKADDR_ARG(__sockaddr__: address), &length)
                }
            }
        }
        return withUnsafeBytes(of: &address.sun_path) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The user at the other end (SO_PEERCRED), when the connection was made.
    package static func peerUser(_ socket: borrowing Descriptor) throws(SystemError) -> uid_t {
        var credentials = ucred()
        var length = socklen_t(MemoryLayout<ucred>.size)
        try retrying("getsockopt(SO_PEERCRED)") {
            getsockopt(socket.rawValue, SOL_SOCKET, SO_PEERCRED, &credentials, &length)
        }
        return credentials.uid
    }

    private static func make() throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try retrying("socket(AF_UNIX)") {
                socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
    }

    private static func withAddress(
        _ path: String, _ body: (__CONST_SOCKADDR_ARG, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // containerd writes an abstract address with a leading NUL or "@".
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("socket address", path, code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        if bytes.first == UInt8(ascii: "@") {
            withUnsafeMutableBytes(of: &address.sun_path) { $0[0] = 0 }
            length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        }
        try withUnsafePointer(to: &address) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address throws(SystemError) in
                try body(__CONST_SOCKADDR_ARG(__sockaddr__: address), length)
            }
        }
    }
}
