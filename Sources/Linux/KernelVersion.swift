import Glibc

/// The version of the running kernel, for the few places where it decides something that cannot be tried.
package struct KernelVersion: Comparable, Sendable, CustomStringConvertible {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The leading numbers of a release such as `6.1.0-37-amd64`; 0.0 if it has none.
    package init(release: String) {
        let numbers = release.split { !$0.isNumber }.prefix(2).map { Int($0) ?? 0 }
        self.init(numbers.first ?? 0, numbers.dropFirst().first ?? 0)
    }

    package static var running: KernelVersion {
        var names = utsname()
        uname(&names)
        return withUnsafeBytes(of: &names.release) { bytes in
            KernelVersion(release: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    package static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    package var description: String { "\(major).\(minor)" }
}
