import Glibc
import JSON
import Linux

@testable import Runc

extension Runc {
    /// What `runc state` says of a container.
    enum Status: String, Sendable {
        case creating
        case created
        case running
        case paused
        case stopped
    }

    /// `runc ps`: the pids of the container's processes, as this process's pid namespace sees them.
    func processes(_ then: @escaping Completion<[pid_t]>) {
        call("ps", ["--format", "json", container]) { [container] result in
            then(
                result.flatMap { output in
                    // An empty container is `null`.
                    guard let list = try? JSON(parsing: output) else { return Self.unreadable("ps", container) }
                    return .success((list.array ?? []).compactMap { $0.integer() })
                })
        }
    }

    /// `runc state`.
    func state(_ then: @escaping Completion<(status: Status, pid: pid_t)>) {
        call("state", [container]) { [container] result in
            then(
                result.flatMap { output in
                    guard let state = try? JSON(parsing: output),
                        let status = state["status"]?.string.flatMap(Status.init(rawValue:))
                    else { return Self.unreadable("state", container) }
                    return .success((status, state["pid"]?.integer() ?? 0))
                })
        }
    }

    private static func unreadable<Value>(_ verb: String, _ container: String) -> Result<Value, RuncError> {
        .failure(RuncError(verb, container, cannotStart: SystemError("parse output of", "runc \(verb)", code: EBADMSG)))
    }
}
