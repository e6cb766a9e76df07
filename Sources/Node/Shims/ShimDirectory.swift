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

    /// The containers that a person may mean: by an id, or a title, or the beginning of an id that is no whole one.
    static func meant(by text: String, among found: [FoundContainer]) -> [FoundContainer] {
        if text.isEmpty { return [] }
        let containers = found.filter { !$0.report.isSandbox }
        let named = containers.filter { $0.report.id == text }
        return named.isEmpty ? containers.filter { $0.report.id.hasPrefix(text) || $0.title == text } : named
    }
}
