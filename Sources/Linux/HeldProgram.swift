import Glibc

/// A program's file, held open: what is started by its path is this one, whatever an upgrade has put in its place since.
package final class HeldProgram: Sendable {
    private let file: Descriptor

    package init(_ path: String) throws(SystemError) { file = try Descriptor.open(path) }

    /// For processes that this one starts.
    package var path: String { "/proc/\(getpid())/fd/\(file.rawValue)" }
}
