import Glibc
import JSON
import Linux

extension RuncState {
    /// Makes a process that was restored behind runc's back the container's init: afterwards state, exec, ps, pause,
    /// update, kill and delete work as if it had started it.
    package static func adopt(_ pid: pid_t, root: String, container: String) throws(SystemError) {
        var state = try RuncState(root: root, container: container)
        state.adopt(pid, startTime: try Process.startTime(of: pid), inOwnTimeNamespace: isInOwnTimeNamespace(pid))
        try Files.replace(state.path, with: state.document.bytes, mode: 0o600)
        // runc leaves this mark when a dump ends and removes it when its own restore ends.
        try Files.remove("\(root)/\(container)/checkpoint")
    }

    /// The document's part, without the system's.
    mutating func adopt(_ pid: pid_t, startTime: UInt64, inOwnTimeNamespace: Bool) {
        let old = initPid
        initPid = pid
        initStartTime = startTime
        // crun opens /proc/PID/ns/… of this pid, the time namespace among them.
        guard layout == .runc else { return }

        for member in document["namespace_paths"]?.object?.members ?? [] {
            guard let old, let path = member.value.string, path.hasPrefix("/proc/\(old)/ns/") else { continue }
            document["namespace_paths"]?[member.key] = .string("/proc/\(pid)/" + path.dropFirst("/proc/\(old)/".count))
        }
        // runc joins only the namespaces that the configuration lists: if the init is in a time namespace of its own,
        // exec's clocks would differ from the init's without this entry. runc before 1.2 knows no time namespaces; it
        // shows by the paths and would not mind the entry.
        let list = document["config"]?["namespaces"]?.array ?? []
        if inOwnTimeNamespace && !list.contains(where: { $0["type"]?.string == "NEWTIME" }) {
            document["config"]?["namespaces"] = .array(list + [["type": "NEWTIME", "path": ""]])
        }
    }

    private static func isInOwnTimeNamespace(_ pid: pid_t) -> Bool {
        // No such file before Linux 5.6.
        guard let its = try? Files.target(ofLink: "/proc/\(pid)/ns/time"),
            let ours = try? Files.target(ofLink: "/proc/self/ns/time")
        else { return false }
        return its != ours
    }
}
