import CLinux
import Glibc

/// A program's file, held open: what is started by its path is this one, whatever an upgrade has put in its place since.
/// Nobody can write to it through what is started, such as /proc/PID/exe, which processes of a container may come by.
package final class HeldProgram: Sendable {
    private let file: Descriptor
    /// For processes that this one starts: a link to the descriptor, since a process is called by the last part of the path
    /// that it was started by.
    package let path: String

    /// - Parameter link: where the link is made, in a directory that is root's alone. What is there goes.
    package init(_ program: String, link: String) throws(SystemError) {
        file = Descriptor(owning: try checking("open_tree", program, zp_open_read_only(program)))
        path = link
        try Files.remove(link)
        let target = "/proc/\(getpid())/fd/\(file.rawValue)"
        try retrying("symlink", link) { symlink(target, link) }
    }
}
