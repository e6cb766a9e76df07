import Glibc
import JSON
import Linux

extension Runc {
    /// `runc exec`: a further process in the running container. Gives its pid, under the same terms as `create`.
    ///
    /// - Parameter process: the process object of the OCI specification, as JSON, as containerd hands it over.
    package func exec(process: [UInt8], _ streams: ProcessStreams, _ then: @escaping Completion<pid_t>) {
        let specification = temporaryFile(".process.json")
        let pidFile = temporaryFile(".pid")
        do {
            // The environment of the process may hold secrets.
            try Files.create(
                specification, with: Self.process(process, hasTerminal: streams.consoleSocket != nil), mode: 0o600)
        } catch {
            loop.soon { [container] in then(.failure(RuncError("exec", container, cannotStart: error))) }
            return
        }
        let arguments = ["--detach", "--process", specification, "--pid-file", pidFile] + streams.arguments
        launch("exec", arguments + [container], streams, pidFile: pidFile) { result in
            try? Files.remove(specification)
            try? Files.remove(pidFile)
            then(result)
        }
    }

    /// The specification with the terminal that the call asks for: containerd's clients may say it in the call alone,
    /// and runc refuses a console socket for a process that is to have no terminal. What is not JSON is left for runc
    /// to refuse.
    static func process(_ specification: [UInt8], hasTerminal: Bool) -> [UInt8] {
        guard var document = try? JSON(parsing: specification), document.object != nil,
            document["terminal"]?.bool ?? false != hasTerminal
        else { return specification }
        document["terminal"] = .bool(hasTerminal)
        return document.bytes
    }
}
