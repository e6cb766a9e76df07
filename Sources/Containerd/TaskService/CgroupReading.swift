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

    /// A file with a name and `key=value` on each line.
    func lines(_ controller: String, _ file: String) -> [(name: Substring, values: [Substring: Substring])] {
        (text(controller, file) ?? "").split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            var values: [Substring: Substring] = [:]
            for pair in words.dropFirst().map({ $0.split(separator: "=", maxSplits: 1) }) where pair.count == 2 {
                values[pair[0]] = pair[1]
            }
            return (words.first ?? "", values)
        }
    }

    /// Of which sizes the kernel has huge pages, such as "2MB": `hugetlb.SIZE.current` is a file for each of them.
    func hugePageSizes(_ controller: String, _ file: String) -> [String] {
        guard let directory = cgroup.directories[controller], let names = try? Files.names(in: directory) else {
            return []
        }
        return names.filter { $0.hasPrefix("hugetlb.") && $0.hasSuffix(".\(file)") }.compactMap { name in
            let words = name.split(separator: ".")
            return words.count == 3 ? String(words[1]) : nil
        }.sorted()
    }
}
