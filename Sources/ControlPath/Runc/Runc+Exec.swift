import Glibc
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
            try Files.write(process, to: specification, mode: 0o600)
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
}
