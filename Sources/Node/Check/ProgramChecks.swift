import Glibc
import Linux

/// The programs that a node needs, by running them.
struct ProgramChecks {
    let host: Host
    let prefix: String

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
                    "criu", "not found", "'zeropod install' of the image brings one; or install the package criu")
            ]
        }
        let version = output(criu, ["--version"]).text
        let number = version.split(whereSeparator: \.isNewline).first.map { $0.drop { !$0.isNumber } } ?? ""
        let parts = number.split(separator: ".").compactMap { Int($0) }
        var findings: [Finding] = []
        if KernelVersion.running >= KernelVersion(6, 13), parts.count >= 2, (parts[0], parts[1]) < (4, 1) {
            findings.append(
                .missing(
                    "criu", "\(criu) \(number)", "Linux \(KernelVersion.running) needs criu 4.1 or later (vvar_vclock)")
            )
        } else {
            findings.append(.good("criu", "\(criu) \(number)"))
        }
        let check = output(criu, ["check"])
        let lines = check.text.split(separator: "\n")
        findings.append(
            check.status == 0
                ? .good("criu check", lines.last.map(String.init) ?? "passed")
                : .missing("criu check", lines.suffix(2).joined(separator: "; "), "run '\(criu) check -v4' for more"))
        return findings
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
            containerd = try Containerd(host, .find(on: host))
        } catch {
            return [.missing("containerd", "\(error)", "install containerd 1.7 or later")]
        }
        let file = containerd.flavor.rendered ?? containerd.flavor.configuration
        var findings: [Finding] = [
            .good("containerd", "version \(containerd.major), \(containerd.flavor.kind.rawValue)")
        ]
        let shim: String?
        do {
            shim = host.exists(file) ? try containerd.dump(file).shim : nil
        } catch {
            return findings + [.missing("configuration", "\(error)", "mend \(file)")]
        }
        guard let shim else {
            return findings + [
                .missing("configuration", "\(file) has no runtime 'zeropod'", "run 'zeropod install'")
            ]
        }
        let place = shim.isEmpty ? host.find(InstallCommand.shim) : shim
        guard let place, host.exists(place) else {
            return findings + [
                .missing("shim", "\(shim.isEmpty ? "not on PATH" : "\(shim) is not there")", "run 'zeropod install'")
            ]
        }
        findings.append(.good("configuration", "\(file) has the runtime 'zeropod'"))
        findings.append(.good("shim", place))
        if (try? containerd.answers()) != true {
            findings.append(
                .missing("daemon", "containerd does not answer at \(containerd.flavor.socket)", "start containerd"))
        }
        return findings
    }
}
