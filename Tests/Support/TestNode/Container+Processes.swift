import Commands
import Foundation

/// What the node's kernel knows of a container, for tests that look whether it is really gone.
extension Container {
    /// The processes of the container, as pids of the node: none while it sleeps. What the shim keeps ready for the
    /// wake is not counted.
    package func processes() async throws -> [Int] {
        let path = try await cgroup()
        let script = """
            for pid in $(cat /sys/fs/cgroup{,/pids}\(path)/cgroup.procs 2>/dev/null); do
                [[ $(readlink /proc/$pid/exe) =~ ^/memfd:stand-in|/containerd-shim-zeropod-v2$ ]] || echo $pid
            done
            """
        return try await pod.node.shell(script).lines.compactMap { Int($0) }
    }

    /// The container's cgroup below each hierarchy's root.
    private func cgroup() async throws -> String {
        struct Info: Decodable { let runtimeSpec: Spec }
        struct Spec: Decodable { let linux: Linux }
        struct Linux: Decodable { let cgroupsPath: String }
        let path = try JSONDecoder().decode(Info.self, from: try await status().info).runtimeSpec.linux.cgroupsPath
        // Of systemd's: slice:prefix:name.
        let parts = path.split(separator: ":")
        return parts.count == 3 ? "/\(parts[0])/\(parts[1])-\(parts[2]).scope" : path
    }
}

extension Pod {
    /// The pid of the shim that serves the pod.
    package func shimProcess() async throws -> Int {
        try await eventually("a shim runs for \(config.name)") {
            try await node.run("pgrep", "-f", "--", "containerd-shim-.* -id \(id)").lines.first.flatMap { Int($0) }
        }
    }
}

extension TestNode {
    /// Memory in bytes that is a process's own alone, and that nothing on disk has. (What others have mapped as well of
    /// the program's file changes with each of them that comes or goes.)
    package func privateMemory(ofProcess pid: Int) async throws -> Int {
        let sum = "awk '/^Private_Dirty/ { sum += $2 } END { print sum * 1024 }' /proc/\(pid)/smaps_rollup"
        return Int(try await shell(sum).trimmed) ?? 0
    }
}
