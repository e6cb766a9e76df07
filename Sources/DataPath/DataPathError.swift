import Linux

/// Why the data path cannot be set up. The text is for the log and for the reasons to stay awake.
package enum DataPathError: Error, Sendable, CustomStringConvertible {
    case system(SystemError)
    /// No BPF file system where the maps are to be pinned, and none could be mounted.
    case notMounted(String, SystemError)
    /// The kernel refused a BPF program or map; `log` is the end of what libbpf and the verifier said.
    case refused(SystemError, log: [String])
    /// The running kernel cannot do something that is needed.
    case missing(String, SystemError)

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .notMounted(let path, let error): "bpffs is not mounted at \(path): \(error)"
        case .refused(let error, let log): ([String(describing: error)] + log).joined(separator: "\n  ")
        case .missing(let what, let error): "this kernel (\(KernelVersion.running)) has no \(what): \(error)"
        }
    }
}

/// Runs system calls where a `DataPathError` is thrown.
@discardableResult
func system<Result: ~Copyable>(
    _ body: () throws(SystemError) -> Result
) throws(DataPathError) -> Result {
    do { return try body() } catch { throw .system(error) }
}
