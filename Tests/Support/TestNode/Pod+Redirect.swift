import Commands
import Foundation

/// What the pod's BPF maps say, by the layouts of bpf/zeropod.h.
extension Pod {
    /// How many segments of new connections were handed to an activator, or to a reception, which takes those of the
    /// node itself.
    package func steered() async throws -> Int {
        let (steered, received) = (0, 3)
        return try await entries(of: "counters").filter { [steered, received].contains($0.key.number) }
            .map(\.value.number).reduce(0, +)
    }

    /// The ports that are watched, each with whether its new connections go to the activator.
    package func redirects() async throws -> [Int: Bool] {
        try await entries(of: "ports").reduce(into: [:]) { result, entry in
            result[entry.key.number] = entry.value.bytes.dropFirst(4).prefix(4).contains { $0 != 0 }
        }
    }

    /// How many connections wait to be accepted in the pod: by the application, or in its place by the activator.
    package func waiting() async throws -> Int {
        try await node.run("nsenter", "--net=\(networkNamespace)", "ss", "-Hltn").lines
            .compactMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }.reduce(0, +)
    }

    private func entries(of map: String) async throws -> [Entry] {
        let dump = try await node.run(
            "bpftool", "--json", "map", "dump", "pinned", "/sys/fs/bpf/zeropod/pods/\(id)/\(map)")
        return try JSONDecoder().decode([Entry].self, from: dump.stdout)
    }
}

/// As bpftool prints it: every byte a string such as "0x1f".
private struct Entry: Decodable {
    struct Bytes: Decodable {
        let bytes: [UInt8]
        /// Little endian, as the machines that tests run on.
        var number: Int { bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) } }

        init(from decoder: any Decoder) throws {
            bytes = try [String](from: decoder).compactMap { UInt8($0.dropFirst(2), radix: 16) }
        }
    }

    let key: Bytes
    let value: Bytes
}
