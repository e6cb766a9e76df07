import Glibc

extension Children {
    /// Runs a program to its end and gives what it wrote to stdout and stderr.
    package func run(
        _ command: Command, _ then: @escaping (ExitStatus, _ output: String) -> Void
    ) throws(SystemError) {
        // A file in memory instead of a pipe: the program never waits for us, and there is nothing to watch.
        let output = SharedOutput(try Descriptor.memoryFile("output of \(command.path)"))
        var command = command
        for number in [STDOUT_FILENO, STDERR_FILENO] { command.descriptors[number] = output.descriptor.rawValue }
        try start(command) { status in then(status, output.text) }
    }

    private final class SharedOutput {
        let descriptor: Descriptor

        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

        var text: String {
            guard (try? descriptor.rewind()) != nil, let bytes = try? descriptor.readAll() else { return "" }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
