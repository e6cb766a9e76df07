import Glibc

/// A network interface of the namespace that the calling thread is in.
package struct Interface: Equatable, Sendable {
    package let index: UInt32
    package let name: String

    /// if_nameindex(3).
    package static func all() throws(SystemError) -> [Interface] {
        guard let list = if_nameindex() else { throw .last("if_nameindex") }
        defer { if_freenameindex(list) }
        var interfaces: [Interface] = []
        var next = list
        while next.pointee.if_index != 0, let name = next.pointee.if_name {
            interfaces.append(Interface(index: next.pointee.if_index, name: String(cString: name)))
            next += 1
        }
        return interfaces
    }
}
