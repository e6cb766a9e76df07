import Glibc

/// A failed system call: what was tried, on what, and the kernel's answer.
///
/// The prose is written here once, so that every log line and every error containerd sees reads the same way.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call, as its manual page names it: `open`, `setns(mount namespace)`.
    package let operation: String
    /// What it was called on: a path, an address, a pid. Empty where there is nothing to name.
    package let subject: String
    /// The error number (`ENOENT`, …), positive.
    package let code: Int32

    package init(_ operation: String, _ subject: String = "", code: Int32) {
        self.operation = operation
        self.subject = subject
        self.code = code
    }

    /// The error that the last failed libc call of this thread left behind.
    package static func last(_ operation: String, _ subject: String = "") -> SystemError {
        SystemError(operation, subject, code: errno)
    }

    package var description: String {
        let reason = String(cString: strerror(code))
        return subject.isEmpty ? "\(operation): \(reason)" : "\(operation) \(subject): \(reason)"
    }
}

/// Repeats a call that a signal interrupted. The only EINTR loop of the project.
///
/// - Returns: what `call` returned, never negative.
@discardableResult
package func retrying<Result: BinaryInteger & SignedInteger>(
    _ operation: @autoclosure () -> String, _ subject: @autoclosure () -> String = "", _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { throw .last(operation(), subject()) }
    }
}

/// Turns the negative errno that the functions of `CLinux` return into an error.
@discardableResult
package func checking(
    _ operation: @autoclosure () -> String, _ subject: @autoclosure () -> String = "", _ result: Int32
) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(operation(), subject(), code: -result) }
    return result
}
