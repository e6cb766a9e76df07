import ContainerdAPI
import Linux
import MessageTypes
import Protobuf
import Testing

/// Our messages against containerd's published definitions (fields.txt, see list-fields). Nothing is asked of the
/// messages but to decode and encode: a wire type that no field has makes each field give its name away in the error.
@Suite struct PublishedFieldsTests {
    /// Published beside the messages we use, and of no use to a shim.
    static let unused: Set<String> = [
        "containerd.types.ActivationInfo", "containerd.types.ActiveMount", "containerd.types.RuntimeRequest",
        "containerd.v1.types.Process", "ttrpc.StringList",
        "io.containerd.cgroups.v1.RdmaStat", "io.containerd.cgroups.v1.RdmaEntry",
        "io.containerd.cgroups.v1.NetworkStat", "io.containerd.cgroups.v1.CgroupStats",
        "io.containerd.cgroups.v2.RdmaStat", "io.containerd.cgroups.v2.RdmaEntry",
        "io.containerd.cgroups.v2.NetworkStat",
    ]
    /// Fields that have them.
    static let unusedFields: Set<String> = [
        "io.containerd.cgroups.v1.Metrics.rdma", "io.containerd.cgroups.v1.Metrics.network",
        "io.containerd.cgroups.v1.Metrics.cgroup_stats",
        "io.containerd.cgroups.v2.Metrics.rdma", "io.containerd.cgroups.v2.Metrics.network",
    ]

    static let published: [String: [PublishedField]] = {
        let lines = fieldsFile().split(separator: "\n")
        let fields = lines.compactMap { PublishedField($0) }
        precondition(fields.count == lines.count, "fields.txt has a line that is none")
        let used = fields.filter { !unused.contains($0.message) && !unusedFields.contains("\($0.message).\($0.name)") }
        return Dictionary(grouping: used, by: \.message)
    }()

    @Test func everyPublishedMessageIsThere() {
        #expect(Set(messageTypes.map { $0.name }) == Set(Self.published.keys))
    }

    @Test func fieldsHaveThePublishedNamesAndNumbers() {
        for type in messageTypes {
            let expected = Dictionary(
                uniqueKeysWithValues: (Self.published[type.name] ?? []).map { ($0.number, $0.name) })
            var found: [UInt64: String] = [:]
            for number in UInt64(1)...100 {
                // fixed32, which no field of ours is: an unknown field is skipped, a known one is an error.
                do throws(ProtobufError) {
                    _ = try decoded(type, varint(number << 3 | 5) + [0, 0, 0, 0])
                } catch {
                    #expect(error.reason == .wrongWireType)
                    found[number] = String(error.path.dropFirst(type.name.count + 1))
                }
            }
            #expect(found == expected, "\(type.name)")
        }
    }

    @Test func everyFieldGoesThereAndBack() throws {
        for type in messageTypes {
            var bytes: [UInt8] = []
            for field in Self.published[type.name] ?? [] {
                let value = try #require(field.sampleValue, "\(field) has an unexpected type")
                bytes += varint(field.number << 3 | value.wireType) + value.bytes
            }
            #expect(try decoded(type, bytes).encoded() == bytes, "\(type.name)")
        }
    }

    @Test func fieldsHaveThePublishedTypes() throws {
        for type in messageTypes {
            for field in Self.published[type.name] ?? [] {
                let sample = try #require(field.sampleValue)
                let tag = varint(field.number << 3 | sample.wireType)
                // What is repeated keeps both values.
                let twice = try decoded(type, tag + sample.bytes + tag + sample.bytes).encoded()
                let kept = twice.count > tag.count + sample.bytes.count
                #expect(kept == (field.isRepeated && !Self.isMap(field)), "\(field)")
                guard let value = field.impossibleValue else { continue }
                #expect(throws: ProtobufError.self, "\(field)") {
                    try decoded(type, varint(field.number << 3 | value.wireType) + value.bytes)
                }
            }
        }
    }

    /// A map's entries of one key are one. On the wire, and in fields.txt, a map looks like a list of messages.
    static func isMap(_ field: PublishedField) -> Bool {
        ["annotations", "metadata"].contains(field.name) && field.message != "ttrpc.Request"
    }

    @Test func topicsAreContainerds() {
        let topics = messageTypes.compactMap { $0 as? any TaskEvent.Type }.map { $0.topic }
        #expect(
            topics == [
                "/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete", "/tasks/exec-added",
                "/tasks/exec-started", "/tasks/oom", "/tasks/paused", "/tasks/resumed", "/tasks/checkpointed",
            ])
    }
}

private func decoded<M: Message>(_ type: M.Type, _ bytes: [UInt8]) throws(ProtobufError) -> any Message {
    try type.init(decoding: bytes)
}

private func fieldsFile() -> String {
    let tests = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    do {
        return try Files.readText("\(tests)/Support/PublishedFields/fields.txt")
    } catch {
        fatalError("\(error)")
    }
}
