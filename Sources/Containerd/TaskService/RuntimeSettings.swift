import ContainerdAPI
import Linux
import Protobuf
import Runc
import Shim
import StdIO

/// The runtime options of containerd's configuration, as far as they concern a container.
package struct RuntimeSettings {
    package let runc: Runc.Options
    let owner: ProcessIO.Owner
    /// The cgroup that the shim itself belongs in; empty: where containerd is.
    package let shimCgroup: String
    let criuWorkPath: String

    /// - Parameter options: `containerd.runc.v1.Options`, or `runtimeoptions.v1.Options` (what containerd makes of the
    ///   options of a runtime type it does not know), or nothing.
    package init(_ options: AnyMessage?, namespace: String) throws(ShimError) {
        self.init(try Self.decode(options), namespace: namespace)
    }

    private static func decode(_ options: AnyMessage?) throws(ShimError) -> RuncOptions {
        guard let options, !options.typeURL.isEmpty else { return RuncOptions() }
        do {
            if let runc = try options.unpack(as: RuncOptions.self) { return runc }
            if let former = try options.unpack(as: FormerCreateOptions.self) { return former.today }
            if let generic = try options.unpack(as: RuntimeOptions.self) {
                let path = generic.configPath
                let body = path.isEmpty ? generic.configBody : try Files.read(path)
                return try RuncOptions(toml: String(decoding: body, as: UTF8.self))
            }
        } catch {
            throw ShimError(.invalidArgument, "runtime options: \(error)")
        }
        throw ShimError(.invalidArgument, "runtime options of type \(options.typeURL) are not known")
    }

    private init(_ options: RuncOptions, namespace: String) {
        runc = Runc.Options(
            binary: options.binaryName,
            // A directory for each of containerd's namespaces, as the stock shim has it.
            root: "\(options.root.isEmpty ? "/run/containerd/runc" : options.root)/\(namespace)",
            systemdCgroup: options.systemdCgroup, noPivotRoot: options.noPivotRoot, noNewKeyring: options.noNewKeyring)
        criuWorkPath = options.criuWorkPath
        owner = ProcessIO.Owner(user: options.ioUid, group: options.ioGid)
        shimCgroup = options.shimCgroup
    }

    // MARK: For the delete verb

    /// The options outlive the shim in the bundle: `delete` needs them when the shim has died.
    private static let file = "zeropod-runtime"

    func remember(in bundle: String) throws(ShimError) {
        let stored = RuncOptions {
            $0.binaryName = runc.binary
            $0.root = runc.root
            $0.systemdCgroup = runc.systemdCgroup
        }
        do throws(SystemError) {
            try Files.create("\(bundle)/\(Self.file)", with: stored.encoded(), mode: 0o600)
        } catch {
            throw ShimError(error)
        }
    }

    /// What `remember` stored; the defaults if there is nothing.
    package static func recall(from bundle: String, namespace: String) -> Runc.Options {
        guard let bytes = try? Files.read("\(bundle)/\(file)"), let stored = try? RuncOptions(decoding: bytes) else {
            return RuntimeSettings(RuncOptions(), namespace: namespace).runc
        }
        return Runc.Options(binary: stored.binaryName, root: stored.root, systemdCgroup: stored.systemdCgroup)
    }
}
