import ContainerdAPI
import Linux
import Protobuf

/// What the kernel accounts for a container, in the messages that containerd, the kubelet and `kubectl top` read.
///
/// The control groups are kept while the container sleeps: processor time goes on where it was, and the memory shown is
/// what is really in use.
struct CgroupReading {
    let cgroup: Cgroup

    init(_ cgroup: Cgroup) {
        self.cgroup = cgroup
    }

    var metrics: AnyMessage {
        cgroup.isUnified ? AnyMessage(packing: unified) : AnyMessage(packing: legacy)
    }

    // MARK: Files

    func text(_ controller: String, _ file: String) -> String? {
        guard let directory = cgroup.directories[controller] else { return nil }
        return try? Files.readText("\(directory)/\(file)")
    }

    /// A file with one number; `max` is the largest number there is.
    func number(_ controller: String, _ file: String) -> UInt64 {
        guard let word = text(controller, file)?.split(whereSeparator: \.isWhitespace).first else { return 0 }
        return word == "max" ? .max : UInt64(word) ?? 0
    }

    /// A file with a name and a number on each line.
    func table(_ controller: String, _ file: String) -> [Substring: UInt64] {
        var values: [Substring: UInt64] = [:]
        for line in (text(controller, file) ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2 { values[fields[0]] = UInt64(fields[1]) }
        }
        return values
    }
}
