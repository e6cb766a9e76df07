import CLinux
import Glibc

/// A program to start. Only what is named here reaches it: descriptors that are not mapped are closed.
package struct Command {
    package var path: String
    /// What the program is told that it is called; the path if nil.
    package var name: String?
    /// Without the program's name, which is put in front.
    package var arguments: [String]
    package var environment: [String]
    package var directory: String?
    /// Descriptor number in the child → descriptor of this process. 0, 1 and 2 are /dev/null unless named.
    package var descriptors: [Int32: Int32] = [:]
    /// Namespace descriptors that the child enters before it runs the program, in this order.
    package var namespaces: [Int32] = []
    /// Open `cgroup.procs` files that the child writes itself into.
    package var cgroups: [Int32] = []
    /// Whether want of memory ends the program like any other (oom_score_adj 0), whatever it does with this process.
    package var neutralOutOfMemoryScore = false
    package var newSession = false
    /// The session keyring that the program has (keyrings(7)), by its name; nil: that of this process.
    package var sessionKeyring: String?
    /// The directory that is / for the program; its path is one below it.
    package var root: String?

    package init(
        _ path: String, _ arguments: [String] = [], environment: [String] = Command.ownEnvironment,
        directory: String? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
    }

    /// The environment of this process, as `NAME=value`.
    package static var ownEnvironment: [String] {
        var result: [String] = []
        var next = environ
        while let entry = next.pointee {
            result.append(String(cString: entry))
            next += 1
        }
        return result
    }

    /// Starts the program and returns its pid. The caller waits for it (`Children`).
    package func spawn() throws(SystemError) -> pid_t {
        let null = try Descriptor.open("/dev/null", O_RDWR)
        var all: [Int32: Int32] = [0: null.rawValue, 1: null.rawValue, 2: null.rawValue]
        all.merge(descriptors) { $1 }
        let mappings = all.map { zp_descriptor_mapping(from: $0.value, to: $0.key) }

        return try CStringArray.withPointers(to: [name ?? path] + arguments) { arguments throws(SystemError) in
            try CStringArray.withPointers(to: environment) { environment throws(SystemError) in
                try spawn(mappings, arguments, environment)
            }
        }
    }

    private func spawn(
        _ mappings: [zp_descriptor_mapping], _ arguments: CStringArray.Pointer,
        _ environment: CStringArray.Pointer
    ) throws(SystemError) -> pid_t {
        var step: UnsafePointer<CChar>?
        let pid = path.withCString { path in
            mappings.withUnsafeBufferPointer { mappings in
                namespaces.withUnsafeBufferPointer { namespaces in
                    cgroups.withUnsafeBufferPointer { cgroups in
                        withOptionalCString(directory) { directory in
                            withOptionalCString(root) { root in
                                var request = zp_spawn(
                                    path: path, arguments: arguments, environment: environment, directory: directory,
                                    descriptors: mappings.baseAddress, descriptor_count: mappings.count,
                                    namespaces: namespaces.baseAddress, namespace_count: namespaces.count,
                                    cgroups: cgroups.baseAddress, cgroup_count: cgroups.count,
                                    new_session: newSession ? 1 : 0, root: root,
                                    neutral_oom_score: neutralOutOfMemoryScore ? 1 : 0, session_keyring: nil)
                                return withOptionalCString(sessionKeyring) { keyring in
                                    request.session_keyring = keyring
                                    return zp_spawn(&request, &step)
                                }
                            }
                        }
                    }
                }
            }
        }
        if pid < 0 {
            throw SystemError("\(step.map { String(cString: $0) } ?? "spawn") for", path, code: -pid)
        }
        return pid
    }

    /// execve(2): this process becomes the program, with its path, name, arguments and environment and nothing else of
    /// what is here. Comes back only when that failed.
    package func replaceThisProcess() -> SystemError {
        CStringArray.withPointers(to: [name ?? path] + arguments) { arguments in
            CStringArray.withPointers(to: environment) { environment in
                execve(path, arguments, environment)
                return .last("execve", path)
            }
        }
    }

    /// The absolute path of a program on a search path (`PATH` of this process by default), or nil.
    package static func find(_ name: String, in searchPath: String? = nil) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        let path = searchPath ?? Environment["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        for directory in path.split(separator: ":") {
            let candidate = "\(directory)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }
}

/// The environment variables of this process.
package enum Environment {
    package static subscript(name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

/// Arrays of C strings as execve(2) takes them.
package enum CStringArray {
    package typealias Pointer = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    package static func withPointers<Result, Failure: Error>(
        to strings: [String], _ body: (Pointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let pointers = Pointer.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
        pointers[strings.count] = nil
        defer {
            for index in strings.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return try body(pointers)
    }
}

private func withOptionalCString<Result>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let string else { return body(nil) }
    return string.withCString(body)
}
