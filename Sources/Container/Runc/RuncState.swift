import Glibc
import JSON
import Linux

/// What runc remembers of a container between its calls: `ROOT/ID/state.json`; crun's is `ROOT/ID/status`.
///
/// runc finds the container's processes and namespaces by this file alone, and believes its pid only if the process
/// with it started when the file says (libcontainer, refreshState). After a restore that runc knows nothing of, the
/// file must therefore be told: `adopt`.
package struct RuncState {
    package enum Layout: Equatable, Sendable {
        /// The whole configuration, and paths.
        case runc
        /// A short file; crun derives everything else from the pid and the bundle.
        case crun
    }

    package let layout: Layout
    package let path: String
    var document: JSON

    /// Reads the file of a container.
    package init(root: String, container: String) throws(SystemError) {
        let directory = "\(root)/\(container)"
        let crun = "\(directory)/status"
        if Files.exists(crun) {
            try self.init(.crun, crun)
        } else {
            try self.init(.runc, "\(directory)/state.json")
        }
    }

    private init(_ layout: Layout, _ path: String) throws(SystemError) {
        self.layout = layout
        self.path = path
        do {
            document = try JSON(parsing: try Files.read(path))
        } catch let error as SystemError {
            throw error
        } catch {
            throw SystemError("parse", path, code: EBADMSG)
        }
    }

    private var pidKey: String { layout == .runc ? "init_process_pid" : "pid" }
    private var startKey: String { layout == .runc ? "init_process_start" : "process-start-time" }

    package internal(set) var initPid: pid_t? {
        get { document[pidKey]?.integer() }
        set { document[pidKey] = newValue.map { .integer($0) } }
    }

    /// Field 22 of `/proc/PID/stat` when the process was started.
    package internal(set) var initStartTime: UInt64? {
        get { document[startKey]?.integer() }
        set { document[startKey] = newValue.map { .integer($0) } }
    }

    /// Cgroup directories by controller; on v2 one, under the name "". crun does not store them.
    package var cgroup: Cgroup { Cgroup(directories: document["cgroup_paths"]?.stringMap ?? [:]) }
}
