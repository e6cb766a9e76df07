import Glibc
import JSON
import Linux

/// What the shim needs to know of a bundle's `config.json` (OCI runtime specification). runc reads the rest.
package struct OCISpec: Equatable, Sendable {
    package struct Namespace: Equatable, Sendable {
        /// `network`, `pid`, `mount`, …
        package let type: String
        /// Where an existing one is joined; empty for a new one.
        package let path: String
    }

    package let annotations: [String: String]
    package let terminal: Bool
    package let namespaces: [Namespace]

    package init(bundle: String) throws(SystemError) {
        let path = "\(bundle)/config.json"
        let document: JSON
        do {
            document = try JSON(parsing: try Files.read(path))
        } catch let error as SystemError {
            throw error
        } catch {
            throw SystemError("parse", path, code: EBADMSG)
        }
        self.init(document)
    }

    package init(_ document: JSON) {
        annotations = document["annotations"]?.stringMap ?? [:]
        terminal = document["process"]?["terminal"]?.bool ?? false
        namespaces = (document["linux"]?["namespaces"]?.array ?? []).map { namespace in
            Namespace(type: namespace["type"]?.string ?? "", path: namespace["path"]?.string ?? "")
        }
    }

    /// The namespace of a type that the container gets; nil if it stays in the host's.
    package func namespace(_ type: String) -> Namespace? { namespaces.first { $0.type == type } }
}
