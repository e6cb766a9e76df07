// containerd's side of the Task service, as far as tests need it: one ttrpc call on a connection of its own, straight to
// a shim. What containerd does around a call (its own locks, its own state) is then not tested along.
import Foundation
import Glibc

package struct ShimClient: Sendable {
    /// Of the shim's socket, seen from here.
    let socket: String

    /// Of the service: containerd 1.7's own shim has version 2 alone.
    let version: Int

    package init(socket: String, version: Int = 3) {
        self.socket = socket
        self.version = version
    }

    /// - Throws: `CallFailed` with the gRPC code that the shim answers.
    func call(_ method: String, _ fill: (inout Message) -> Void) async throws -> Message {
        let request = Message {
            $0.set(1, "containerd.task.v\(version).Task")
            $0.set(2, method)
            $0.set(3, Message(fill))
        }
        let socket = socket
        // A call may wait for the end of a process: not on a thread that others need.
        let reply = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Message, any Error>) in
            Foundation.Thread.detachNewThread {
                continuation.resume(with: Result { try Self.exchange(socket, request) })
            }
        }
        let status = reply.message(1)
        if status.integer(1) != 0 {
            throw CallFailed(method: method, code: status.integer(1), message: status.string(2))
        }
        return reply.message(2)
    }

    private static func exchange(_ socket: String, _ request: Message) throws -> Message {
        let connection = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(connection) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.utf8.prefix(107)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = withUnsafePointer(to: &address) {
            Glibc.connect(connection, __CONST_SOCKADDR_ARG(__sockaddr_un__: $0), size)
        }
        if connected != 0 { throw CallFailed(method: "connect", code: -1, message: "\(socket): errno \(errno)") }
        let file = FileHandle(fileDescriptor: connection, closeOnDealloc: false)
        // Length, stream 1, type 1 (request), no flags.
        try file.write(contentsOf: Data(bigEndian(request.bytes.count) + bigEndian(1) + [1, 0] + request.bytes))
        let header = try read(10, from: file)
        return Message(try read(header.prefix(4).reduce(0) { $0 << 8 | Int($1) }, from: file))
    }

    private static func bigEndian(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(number).bigEndian, Array.init)
    }

    private static func read(_ count: Int, from file: FileHandle) throws -> Data {
        var data = Data()
        while data.count < count {
            guard let more = try file.read(upToCount: count - data.count), !more.isEmpty else {
                throw CallFailed(method: "read", code: -1, message: "the shim has closed the connection")
            }
            data += more
        }
        return data
    }
}
