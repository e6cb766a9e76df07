import JSON
import Linux

/// Keeps the original requests of this node's pods on the node: a file for each pod, named by its uid.
///
/// Not in the pod: whoever may annotate a pod could have its requests raised to whatever the annotation says, by a daemon
/// that has the right to. A pod never leaves its node, and these files outlast a restart of everything on it.
final class OriginalRequestsStore {
    private let directory: String
    private let log: Log
    /// As they are on disk; those that were not asked for yet are not here.
    private var known: [String: OriginalRequests] = [:]

    init(_ directory: String, log: Log) {
        (self.directory, self.log) = (directory, log)
    }

    subscript(uid: String) -> OriginalRequests {
        if let known = known[uid] { return known }
        let found = read(uid) ?? OriginalRequests()
        known[uid] = found
        return found
    }

    /// On the disk when this returns.
    func keep(_ originals: OriginalRequests, of uid: String) throws(SystemError) {
        guard let file = file(uid) else {
            throw SystemError("write", "the requests of pod \"\(uid)\"", code: SystemError.noSuchFile)
        }
        if originals.isEmpty {
            try Files.remove(file)
        } else {
            try Files.makeDirectories(directory, mode: 0o700)
            try Files.replaceDurably(file, with: originals.json.bytes, mode: 0o600)
        }
        known[uid] = originals
    }

    /// Forgets all pods but these: they are gone from the node.
    func retain(_ uids: Set<String>) {
        known = known.filter { uids.contains($0.key) }
        for name in (try? Files.names(in: directory)) ?? [] where !uids.contains(name) {
            try? Files.remove("\(directory)/\(name)")
        }
    }

    private func read(_ uid: String) -> OriginalRequests? {
        guard let file = file(uid) else { return nil }
        do {
            if let originals = OriginalRequests(try JSON(parsing: try Files.read(file))) { return originals }
            log.error("requests stay lowered: the file cannot be understood", ["file": file])
        } catch let error as SystemError where error.code == SystemError.noSuchFile {
            return nil
        } catch {
            log.error("requests stay lowered: \(error)", ["file": file])
        }
        return nil
    }

    /// Nil for what is no uid: it must name no file elsewhere.
    private func file(_ uid: String) -> String? {
        let isName =
            !uid.isEmpty && uid.utf8.count <= 64
            && uid.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        return isName ? "\(directory)/\(uid)" : nil
    }
}
