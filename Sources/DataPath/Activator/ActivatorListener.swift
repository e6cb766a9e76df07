import Glibc
import Linux

/// The socket that redirected connections arrive at: one for all ports of a container and for both address families.
///
/// It is bound to a loopback address, so that nobody outside the pod reaches it but through the redirect, which does not
/// care what a socket is bound to.
final class ActivatorListener {
    let descriptor: Descriptor
    /// The pod's, in which connections to the application are made.
    let namespace: Namespace
    /// Where it is bound.
    let port: UInt16

    init(in network: borrowing Namespace, queue length: Int32 = LongQueue.length) throws(SystemError) {
        let own = try network.duplicate()
        let socket = try own.inside { () throws(SystemError) in
            do throws(SystemError) {
                return try Self.make(.ipv6, length)
            } catch {
                // The kernel was started with ipv6.disable=1 or built without it.
                guard error.code == EAFNOSUPPORT else { throw error }
                return try Self.make(.ipv4, length)
            }
        }
        port = try TCPSocket.localAddress(socket).port
        descriptor = socket
        namespace = own
    }

    private static func make(_ family: SocketAddress.Family, _ length: Int32) throws(SystemError) -> Descriptor {
        let socket = try TCPSocket.make(family)
        if family == .ipv6 { try TCPSocket.set(.ipv6Only, false, of: socket) }
        // Accepted sockets inherit these options. They hold the application's port as long as they live; an application
        // that sets SO_REUSEADDR can bind beside them only if they have it too.
        try TCPSocket.set(.reuseAddress, true, of: socket)
        try TCPSocket.set(.keepAlive, true, of: socket)
        try TCPSocket.set(.noDelay, true, of: socket)
        // Apart from `::`, mapped addresses are the only ones that do not make an IPv6 socket IPv6 only. And 127.0.0.1
        // is there also when IPv6 is switched off in the pod.
        try TCPSocket.bind(socket, to: .loopback(.ipv4), for: family)
        try LongQueue.listen(socket, length: length)
        return socket
    }
}
