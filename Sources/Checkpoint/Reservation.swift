import Linux

/// Room on the disk that a container's images have, or will have: a file beside them, `BYTES POD`, and `written` once
/// they are complete.
struct Reservation: Equatable {
    var bytes: UInt64
    var pod: String
    var isWritten = false

    private static let file = "reserved"

    func keep(in directory: String) throws(SystemError) {
        let words = ["\(bytes)", pod] + (isWritten ? ["written"] : [])
        try Files.replace("\(directory)/\(Self.file)", with: Array(words.joined(separator: " ").utf8), mode: 0o600)
    }

    static func remove(from directory: String) { try? Files.remove("\(directory)/\(file)") }

    init(bytes: UInt64, pod: String, isWritten: Bool = false) {
        (self.bytes, self.pod, self.isWritten) = (bytes, pod, isWritten)
    }

    /// Nil if there is none.
    init?(in directory: String) {
        let words = ((try? Files.readText("\(directory)/\(Self.file)")) ?? "").split(
            separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2, let bytes = UInt64(words[0]) else { return nil }
        self.init(bytes: bytes, pod: String(words[1]), isWritten: words.count > 2)
    }

    /// The reservations of a node: its images are in `place/NAMESPACE/CONTAINER`, and `place/failed/CONTAINER`.
    static func all(below place: String, but own: String) -> [(directory: String, reservation: Reservation)] {
        ((try? Files.names(in: place)) ?? []).flatMap { namespace in
            ((try? Files.names(in: "\(place)/\(namespace)")) ?? []).compactMap { container in
                let directory = "\(place)/\(namespace)/\(container)"
                return directory == own ? nil : Reservation(in: directory).map { (directory, $0) }
            }
        }
    }
}
