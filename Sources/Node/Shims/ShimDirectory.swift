import Glibc
import Linux
import StatusAPI

/// The shims of this node, found by their sockets. Those that were started before this program are there too.
package struct ShimDirectory {
    private let path: String

    package init(_ path: String = StatusService.directory) {
        self.path = path
    }

    package func sockets() throws(SystemError) -> [String] {
        do throws(SystemError) {
            return try Files.names(in: path).filter { $0.hasSuffix(".sock") }.sorted().map { "\(path)/\($0)" }
        } catch {
            // No shim has run since the node was started.
            if error.code == ENOENT { return [] }
            throw error
        }
    }

    /// All containers, and a line for each shim that does not answer. The socket of a shim that was killed is passed
    /// over: containerd's clean-up removes it.
    package func containers() throws(SystemError) -> (found: [FoundContainer], problems: [String]) {
        var (found, problems): ([FoundContainer], [String]) = ([], [])
        for socket in try sockets() {
            do {
                let list = try ShimConnection(socket).list()
                found += list.containers.map { FoundContainer(socket: socket, report: $0) }
            } catch let error as SystemError where error.code == ECONNREFUSED || error.code == ENOENT {
                continue
            } catch {
                problems.append("\(socket): \(error)")
            }
        }
        return (found, problems)
    }
}

/// A container, and the socket of the shim that has it.
package struct FoundContainer {
    package let socket: String
    package let report: ContainerReport

    /// `namespace/pod/container`, or the id where Kubernetes did not make it.
    package var title: String { report.title }

    /// Whether a person means this one: by its id, the beginning of it, or its title.
    package func isMeant(by text: String) -> Bool {
        !text.isEmpty && (report.id.hasPrefix(text) || title == text)
    }
}
