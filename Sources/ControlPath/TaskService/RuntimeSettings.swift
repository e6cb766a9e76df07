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

    /// - Parameter options: `containerd.runc.v1.Options`, or nothing. For a runtime type that containerd does not know,
    ///   it hands the options over as `runtimeoptions.v1.Options`, whose body is TOML; what it says is in `config_body`.
    package init(_ options: AnyMessage?, namespace: String) throws(ShimError) {
        let parsed: RuncOptions
        do throws(ProtobufError) {
            parsed = try options?.unpack(as: RuncOptions.self) ?? RuncOptions()
        } catch {
            throw ShimError(.invalidArgument, "runtime options: \(error)")
        }
        self.init(parsed, namespace: namespace)
    }

    private init(_ options: RuncOptions, namespace: String) {
        runc = Runc.Options(
            binary: options.binaryName,
            // A directory for each of containerd's namespaces, as the stock shim has it.
            root: "\(options.root.isEmpty ? "/run/containerd/runc" : options.root)/\(namespace)",
            systemdCgroup: options.systemdCgroup, noPivotRoot: options.noPivotRoot, noNewKeyring: options.noNewKeyring)
        owner = ProcessIO.Owner(user: options.ioUid, group: options.ioGid)
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
            try Files.write(stored.encoded(), to: "\(bundle)/\(Self.file)", mode: 0o600)
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
