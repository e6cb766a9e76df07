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

    package struct Mount: Equatable, Sendable {
        package let destination: String
        package let type: String
        package let source: String
        package let options: [String]
    }

    package let annotations: [String: String]
    package let hostname: String
    package let rootPath: String
    package let rootIsReadonly: Bool
    package let mounts: [Mount]
    package let arguments: [String]
    package let terminal: Bool
    package let namespaces: [Namespace]
    package let cgroupsPath: String
    package let maskedPaths: [String]
    package let readonlyPaths: [String]

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
        self.init(document, bundle: bundle)
    }

    /// - Parameter bundle: what a relative root path is relative to.
    package init(_ document: JSON, bundle: String) {
        annotations = document["annotations"]?.stringMap ?? [:]
        hostname = document["hostname"]?.string ?? ""
        let root = document["root"]?["path"]?.string ?? ""
        rootPath = root.isEmpty || root.hasPrefix("/") ? root : "\(bundle)/\(root)"
        rootIsReadonly = document["root"]?["readonly"]?.bool ?? false
        mounts = (document["mounts"]?.array ?? []).map { mount in
            Mount(
                destination: mount["destination"]?.string ?? "", type: mount["type"]?.string ?? "",
                source: mount["source"]?.string ?? "", options: mount["options"]?.strings ?? [])
        }
        let process = document["process"]
        arguments = process?["args"]?.strings ?? []
        terminal = process?["terminal"]?.bool ?? false
        let linux = document["linux"]
        namespaces = (linux?["namespaces"]?.array ?? []).map { namespace in
            Namespace(type: namespace["type"]?.string ?? "", path: namespace["path"]?.string ?? "")
        }
        cgroupsPath = linux?["cgroupsPath"]?.string ?? ""
        maskedPaths = linux?["maskedPaths"]?.strings ?? []
        readonlyPaths = linux?["readonlyPaths"]?.strings ?? []
    }

    /// The namespace of a type that the container gets; nil if it stays in the host's.
    package func namespace(_ type: String) -> Namespace? { namespaces.first { $0.type == type } }
}
