// What tests need to run programs: output, status, and a deadline that ends the whole process group. Not Foundation's
// Process: it takes a program for running as long as any daemon that the program started holds an inherited socket.
import Foundation

/// What a program printed and how it ended.
package struct Output: Sendable {
    package let command: String
    package let status: Int32
    package let stdout: Data
    package let stderr: Data

    package var text: String { String(decoding: stdout, as: UTF8.self) }
    package var errorText: String { String(decoding: stderr, as: UTF8.self) }
    package var trimmed: String { text.trimmingCharacters(in: .whitespacesAndNewlines) }
    package var lines: [Substring] { text.split(separator: "\n") }
}

package struct CommandFailed: Error, CustomStringConvertible {
    package let output: Output
    package let deadline: Duration

    package var description: String {
        let how = output.status == Command.timedOut ? "did not end within \(deadline)" : "status \(output.status)"
        return "\(output.command): \(how)\n\(output.text)\(output.errorText)"
    }
}

package enum Command {
    /// The status with which timeout(1) says that it ended the command.
    static let timedOut: Int32 = 124

    /// Runs a program to its end; throws unless it ended with `expecting` (nil: any status will do) in time.
    @discardableResult
    package static func run(
        _ arguments: [String], input: Data = Data(), deadline: Duration = .seconds(90), expecting: Int32? = 0
    ) async throws -> Output {
        let output = try await withCheckedThrowingContinuation { continuation in
            // A thread of its own: it blocks, and the pool of Swift's tasks has only as many threads as there are cores.
            Thread.detachNewThread {
                continuation.resume(with: Result { try runBlocking(arguments, input, deadline) })
            }
        }
        let acceptable = expecting.map { $0 == output.status } ?? (output.status != timedOut)
        guard acceptable else { throw CommandFailed(output: output, deadline: deadline) }
        return output
    }

    private static func runBlocking(_ arguments: [String], _ input: Data, _ deadline: Duration) throws -> Output {
        // Files, not pipes: nobody has to read while the program runs, and daemons it leaves behind hold nothing open.
        let (stdin, stdout, stderr) = (try ScratchFile(input), try ScratchFile(), try ScratchFile())
        // timeout(1) ends the group, and with it what nsenter forked in another pid namespace.
        let pid = try spawn(
            ["timeout", "--kill-after=2", "\(deadline.components.seconds)"] + arguments,
            stdin.descriptor, stdout.descriptor, stderr.descriptor)
        return Output(
            command: arguments.joined(separator: " "), status: wait(for: pid), stdout: stdout.contents(),
            stderr: stderr.contents())
    }

    private static func spawn(_ arguments: [String], _ streams: Int32...) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        var vector = arguments.map { strdup($0) } + [nil]
        defer { for argument in vector { free(argument) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, "timeout", &actions, nil, &vector, environ)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
        return pid
    }

    private static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        // As shells say it: 128 and the signal.
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }
}

/// A file without a name that ends with its owner.
private final class ScratchFile {
    private let file: UnsafeMutablePointer<FILE>
    var descriptor: Int32 { fileno(file) }

    init(_ contents: Data = Data()) throws {
        guard let file = tmpfile() else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.file = file
        _ = contents.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
        rewind(file)
    }

    func contents() -> Data {
        rewind(file)
        return (try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readToEnd()) ?? Data()
    }

    deinit { fclose(file) }
}
