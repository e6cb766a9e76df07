import Foundation

/// Memory of a process or of several, in bytes.
package struct ProcessMemory: Sendable {
    /// All pages that are mapped and present.
    package var resident = 0
    /// Each page divided by the number of processes that share it, so that it can be summed up.
    package var proportional = 0
    /// What belongs to the process alone and was written to: what it costs to have one more of it.
    package var privateDirty = 0

    package init() {}

    /// nil if the process is gone.
    package init?(of pid: Int) {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 1, let kilobytes = Int(words[1]) else { continue }
            switch words[0] {
            case "Rss:": resident = kilobytes << 10
            case "Pss:": proportional = kilobytes << 10
            case "Private_Dirty:": privateDirty = kilobytes << 10
            default: break
            }
        }
    }

    package static func += (sum: inout ProcessMemory, more: ProcessMemory) {
        sum.resident += more.resident
        sum.proportional += more.proportional
        sum.privateDirty += more.privateDirty
    }
}

/// Processes of this machine, found by what they are: those in a node have other pids inside it.
package enum Processes {
    package static var all: [Int] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int($0) }
    }

    /// Those of a container (or a pod's sandbox): its id is part of its control groups' names.
    package static func ofContainer(_ id: String) -> [Int] {
        all.filter { pid in
            (try? String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8))?.contains(id) ?? false
        }
    }

    /// Those of them that the container runs: in a pid namespace that is not the shim's. What the shim keeps in the
    /// container's control groups for a wake, a stand-in or criu, is in the shim's.
    package static func ofApplication(_ id: String, shim: Int) -> [Int] {
        let outside = pidNamespace(of: shim)
        return ofContainer(id).filter { pid in pidNamespace(of: pid).map { $0 != outside } ?? false }
    }

    private static func pidNamespace(of pid: Int) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/pid")
    }

    /// The shim that serves a pod, whichever runtime it belongs to.
    package static func shim(ofPod id: String) -> Int? {
        all.first { pid in
            guard let line = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8) else { return false }
            let words = line.split(separator: "\0")
            return words.first?.contains("containerd-shim-") == true && words.contains { $0 == id }
        }
    }

    /// What a shim has standing in a sleeping container's place.
    package static func standIns(of shim: Int) -> [Int] {
        all.filter { pid in
            guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
            return line.contains("(stand-in) ") && line.split(separator: " ").dropFirst(3).first == "\(shim)"
        }
    }

    package static func threads(of pid: Int) -> Int { tasks(of: pid).count }

    private static func tasks(of pid: Int) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    }

    /// How often the threads of a process have left a processor so far: one that wakes up and sleeps again does once.
    package static func switches(of pid: Int) -> Int {
        tasks(of: pid).reduce(0) { sum, task in
            let status = try? String(contentsOfFile: "/proc/\(pid)/task/\(task)/status", encoding: .utf8)
            let counts = (status ?? "").split(separator: "\n").filter { $0.contains("voluntary_ctxt_switches:") }
            return sum + counts.compactMap { $0.split(separator: "\t").last.flatMap { Int($0) } }.reduce(0, +)
        }
    }
}
