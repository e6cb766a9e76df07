import Glibc
import Linux

/// The programs that a node needs, by running them.
struct ProgramChecks {
    let place: InstallCommand

    private var host: Host { Host(root: place.root) }
    private var prefix: String { place.prefix }

    func run() -> [Finding] { criu() + [runc] + containerd() }

    private func output(_ program: String, _ arguments: [String]) -> (status: Int32, text: String) {
        do throws(SystemError) {
            let (status, text) = try host.run(program, arguments)
            return (status, text)
        } catch {
            return (-1, "\(error)")
        }
    }

    private func criu() -> [Finding] {
        guard let criu = host.find("criu", also: ["\(prefix)/bin"]) else {
            return [
                .missing(
                    "criu", "not found", "'zeropod install' of the image brings one, and 'make install'")
            ]
        }
        let (status, version) = output(criu, ["--version"])
        guard status == 0 else {
            return [.missing("criu", "\(criu) does not start: \(version.trimmingLines)", "install it again")]
        }
        return [program(criu, version), restore(criu)]
    }

    private func program(_ criu: String, _ version: String) -> Finding {
        let number = version.split(whereSeparator: \.isNewline).first.map { $0.drop { !$0.isNumber } } ?? ""
        let parts = number.split(separator: ".").compactMap { Int($0) }
        if KernelVersion.running >= KernelVersion(6, 13), parts.count >= 2, (parts[0], parts[1]) < (4, 1) {
            return .missing(
                "criu", "\(criu) \(number)", "Linux \(KernelVersion.running) needs criu 4.1 or later (vvar_vclock)")
        }
        let lines = version.split(whereSeparator: \.isNewline)
        guard lines.contains("Keeps: descriptors") else {
            return .limited(
                "criu", "\(criu) \(number): freezing only",
                "it opens files by their paths at a wake, where they may be others by then; install the criu that "
                    + "comes with zeropod ('zeropod install' of the image, or 'make install')")
        }
        // The same as in CRIU.swift of the shim.
        if host.exists("/sys/fs/selinux/enforce") {
            return .limited(
                "criu", "\(criu) \(number), and SELinux: freezing only",
                "criu does not give back the labels of processes")
        }
        guard lines.contains("Keeps: user namespaces") else {
            return .limited(
                "criu", "\(criu) \(number): with a user namespace of their own containers are frozen only",
                "install the criu that comes with zeropod ('zeropod install' of the image, or 'make install')")
        }
        return .good("criu", "\(criu) \(number), keeps descriptors and user namespaces")
    }

    private func restore(_ criu: String) -> Finding {
        // CRIU wants the root of its mount namespace, and a container has another one than the host's programs.
        guard host.root.isEmpty else {
            let (status, text) = output(criu, ["check"])
            let lines = text.split(separator: "\n")
            return status == 0
                ? .good("restore", "criu check: \(lines.last ?? "passed")")
                : .missing("restore", lines.suffix(2).joined(separator: "; "), "run '\(criu) check -v4' for more")
        }
        do {
            return .good("restore", try RestoreTrial(criu: criu).run())
        } catch {
            // A kernel that is known for it has said so already.
            return KernelVersion.running < KernelVersion(5, 13)
                ? .limited("restore", "\(error)", "containers are frozen only")
                : .missing("restore", "\(error)", "run '\(criu) check -v4' for more")
        }
    }

    private var runc: Finding {
        guard let runc = host.find("runc") ?? host.find("crun") else {
            return .missing("runc", "neither runc nor crun is on PATH", "install the package runc")
        }
        let first = output(runc, ["--version"]).text.split(separator: "\n").first.map(String.init) ?? ""
        return .good("runc", "\(runc): \(first)")
    }

    private func containerd() -> [Finding] {
        let containerd: Containerd
        do {
            containerd = try place.containerd()
        } catch {
            return [.missing("containerd", "\(error)", "install containerd 1.7 or later")]
        }
        let detail = "\(containerd.version), \(containerd.program)"
        let version: Finding =
            containerd.isTooOld
            ? .missing("containerd", detail, "containerd 1.7 or later is needed") : .good("containerd", detail)
        return [version, daemon(containerd)] + configuration(containerd)
    }

    private func daemon(_ containerd: Containerd) -> Finding {
        (try? containerd.answers()) == true
            ? .good("daemon", "containerd answers at \(containerd.socket)")
            : .missing("daemon", "containerd does not answer at \(containerd.socket)", "start containerd")
    }

    private func configuration(_ containerd: Containerd) -> [Finding] {
        let file = containerd.flavor.rendered ?? containerd.flavor.configuration
        let registered: String?
        do {
            registered = host.exists(file) ? try containerd.dump(file).shim : nil
        } catch {
            return [.missing("configuration", "\(error)", "mend \(file)")]
        }
        guard let shim = registered else {
            return [.missing("configuration", "\(file) has no runtime 'zeropod'", "run 'zeropod install'")]
        }
        let place = shim.isEmpty ? host.find(InstallCommand.shim) : shim
        guard let place, host.exists(place) else {
            return [
                .missing("shim", "\(shim.isEmpty ? "not on PATH" : "\(shim) is not there")", "run 'zeropod install'")
            ]
        }
        return [.good("configuration", "\(file) has the runtime 'zeropod'"), .good("shim", place)]
    }
}
