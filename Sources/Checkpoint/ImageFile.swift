import Linux

/// Just enough of CRIU's image files to say that the mount namespace is the one CRIU itself stands in, to name what is
/// kept, and to read and change locks and timers.
///
/// A file begins with two 32-bit magic numbers (the inventory with one), then has entries, some kinds just one: a length
/// (32 bits, little endian) and a protobuf message (CRIU's images/*.proto, criu/include/magic.h).
enum ImageFile {
    /// Fields of `task_kobj_ids_entry` and of `inventory_entry` (CRIU's images/core.proto, images/inventory.proto).
    private static let mountNamespaceField: UInt64 = 9
    private static let rootIdentitiesField: UInt64 = 3

    /// Gives every process the mount namespace identity of the inventory, which is the one of the criu process.
    ///
    /// CRIU restores a mount namespace when that of the root process differs from its own. The container's mounts are
    /// kept and joined (`join_ns`), so there is nothing to restore, but CRIU has no option to say so.
    static func adoptKeptMountNamespace(in directory: String) throws(CheckpointError) {
        let inventory = try entry("\(directory)/inventory.img", headerSize: 4)
        guard let identities = inventory.fields.first(where: { $0.number == rootIdentitiesField }),
            let own = try Message(parsing: identities.bytes, path: directory).fields
                .first(where: { $0.number == mountNamespaceField })
        else { throw .badImage(path: "\(directory)/inventory.img") }

        let names: [String]
        do { names = try Files.names(in: directory) } catch { throw .system(error) }
        for name in names where name.hasPrefix("ids-") && name.hasSuffix(".img") {
            let path = "\(directory)/\(name)"
            var message = try entry(path, headerSize: 8)
            guard let index = message.fields.firstIndex(where: { $0.number == mountNamespaceField }) else {
                throw .badImage(path: path)
            }
            message.fields[index] = own
            try write(message, to: path)
        }
    }

    /// Takes the cgroups out, which are left as they are. CRIU would start a process for threads in cgroups of their
    /// own, and wait for its end, half a millisecond of a restore.
    static func leaveCgroups(in directory: String) throws(CheckpointError) {
        let path = "\(directory)/cgroup.img"
        guard Files.exists(path) else { return }
        var message = try entry(path, headerSize: 8)
        // With a second one there may be such threads (`cgroup_entry` of images/cgroup.proto).
        let sets = message.fields.count { $0.number == 1 }
        if sets != 1 { return }
        message.fields = []
        try write(message, to: path)
    }

    /// Reads all entries of a file, and writes it anew if one of them has changed.
    ///
    /// - Parameter change: answers whether the entry is another one now; nil takes it out.
    static func edit(
        _ path: String, _ change: (inout Message) throws(CheckpointError) -> Bool?
    ) throws(CheckpointError) {
        let bytes: [UInt8]
        do { bytes = try Files.read(path, limit: 256 << 20) } catch { throw .system(error) }
        guard bytes.count >= 8 else { throw .badImage(path: path) }
        var result = Array(bytes[..<8])
        result.reserveCapacity(bytes.count)
        var (position, hasChanged) = (8, false)
        while position < bytes.count {
            guard position + 4 <= bytes.count else { throw .badImage(path: path) }
            let size = bytes[position..<position + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            let end = position + 4 + size
            guard end <= bytes.count else { throw .badImage(path: path) }
            var entry = try Message(parsing: Array(bytes[(position + 4)..<end]), path: path)
            switch try change(&entry) {
            case true?:
                result += entry.encodedWithSize
                hasChanged = true
            case false?: result += bytes[position..<end]
            case nil: hasChanged = true
            }
            position = end
        }
        if !hasChanged { return }
        do { try Files.write(result, to: path, mode: 0o600) } catch { throw .system(error) }
    }

    /// Gives regular files other names: `file_entry` of CRIU's images/fdinfo.proto, `reg_file_entry` of
    /// images/regfile.proto.
    ///
    /// - Parameter newName: for a name, and flags as of open(2); nil leaves the name.
    static func replaceNames(
        in path: String, _ newName: (String, Int32) throws(CheckpointError) -> String?
    ) throws(CheckpointError) {
        try edit(path) { entry throws(CheckpointError) in
            var file = try entry.message(3, path)
            guard file != nil else { return false }
            guard let name = file?.bytes(6) else { throw .badImage(path: path) }
            let flags = Int32(truncatingIfNeeded: file?.number(2) ?? 0)
            guard let new = try newName(String(decoding: name, as: UTF8.self), flags) else { return false }
            file?.set(6, Array(new.utf8))
            if let file { entry.set(3, file.encoded) }
            return true
        }
    }

    /// - Parameter isAlone: Whether nothing follows it in the file.
    static func entry(_ path: String, headerSize: Int, isAlone: Bool = true) throws(CheckpointError) -> Message {
        let bytes: [UInt8]
        do { bytes = try Files.read(path) } catch { throw .system(error) }
        guard bytes.count >= headerSize + 4 else { throw .badImage(path: path) }
        let size = bytes[headerSize..<headerSize + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        let end = headerSize + 4 + size
        guard isAlone ? bytes.count == end : bytes.count >= end else { throw .badImage(path: path) }
        var message = try Message(parsing: Array(bytes[(headerSize + 4)..<end]), path: path)
        message.header = Array(bytes[..<headerSize])
        return message
    }

    private static func write(_ message: Message, to path: String) throws(CheckpointError) {
        do { try Files.write(message.header + message.encodedWithSize, to: path, mode: 0o600) } catch {
            throw .system(error)
        }
    }

    /// A message as its top-level fields, each with its encoding untouched.
    struct Message {
        struct Field {
            let number: UInt64
            let encoded: [UInt8]
            /// The value: of a length-delimited field without its length.
            let bytes: [UInt8]

            init(number: UInt64, encoded: [UInt8], bytes: [UInt8]) {
                self.number = number
                self.encoded = encoded
                self.bytes = bytes
            }

            /// A numeric field.
            init(number: UInt64, value: UInt64) {
                let bytes = Message.varint(value)
                self.init(number: number, encoded: Message.varint(number << 3) + bytes, bytes: bytes)
            }

            /// A length-delimited field.
            init(number: UInt64, _ bytes: [UInt8]) {
                self.init(
                    number: number,
                    encoded: Message.varint(number << 3 | 2) + Message.varint(UInt64(bytes.count)) + bytes,
                    bytes: bytes)
            }
        }

        var header: [UInt8] = []
        var fields: [Field] = []

        private static func varint(_ value: UInt64) -> [UInt8] {
            var (rest, bytes) = (value, [UInt8]())
            while rest > 0x7f {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            return bytes + [UInt8(rest)]
        }

        /// As it stands in a file: its length (32 bits, little endian) first.
        var encodedWithSize: [UInt8] {
            let body = encoded
            return (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
        }

        var encoded: [UInt8] { fields.flatMap(\.encoded) }

        func bytes(_ field: UInt64) -> [UInt8]? { fields.first { $0.number == field }?.bytes }

        /// A field that is a message itself; nil if it is not there.
        func message(_ field: UInt64, _ path: String) throws(CheckpointError) -> Message? {
            guard let bytes = bytes(field) else { return nil }
            return try Message(parsing: bytes, path: path)
        }

        mutating func set(_ field: UInt64, _ bytes: [UInt8]) { set(Field(number: field, bytes)) }

        mutating func set(_ field: UInt64, value: UInt64) { set(Field(number: field, value: value)) }

        private mutating func set(_ field: Field) {
            if let index = fields.firstIndex(where: { $0.number == field.number }) {
                fields[index] = field
            } else {
                fields.append(field)
            }
        }

        /// The value of a numeric field; nil if it is not there.
        func number(_ field: UInt64) -> UInt64? {
            fields.first { $0.number == field }?.bytes.reversed().reduce(0) { $0 << 7 | UInt64($1 & 0x7f) }
        }

        init(parsing bytes: [UInt8], path: String) throws(CheckpointError) {
            var rest = bytes[...]
            func varint() throws(CheckpointError) -> UInt64 {
                var value: UInt64 = 0
                for shift in stride(from: UInt64(0), to: 64, by: 7) {
                    guard let byte = rest.popFirst() else { break }
                    value |= UInt64(byte & 0x7f) << shift
                    if byte & 0x80 == 0 { return value }
                }
                throw .badImage(path: path)
            }
            while !rest.isEmpty {
                let start = rest.startIndex
                let key = try varint()
                var value = rest
                switch key & 7 {
                case 0:
                    _ = try varint()
                    value = value[..<rest.startIndex]
                // Fixed 64 and 32 bits.
                case 1, 5:
                    let count = key & 7 == 1 ? 8 : 4
                    guard count <= rest.count else { throw .badImage(path: path) }
                    value = rest.prefix(count)
                    rest.removeFirst(count)
                case 2:
                    let count = Int(clamping: try varint())
                    guard count <= rest.count else { throw .badImage(path: path) }
                    value = rest.prefix(count)
                    rest.removeFirst(count)
                default: throw .badImage(path: path)
                }
                fields.append(
                    Field(number: key >> 3, encoded: Array(bytes[start..<rest.startIndex]), bytes: Array(value)))
            }
        }
    }
}
