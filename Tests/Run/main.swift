// Runs tests for `.ci/test`: those of the test bundle, and the steps that it is given. Workers, each with test nodes of its
// own, take from one queue. The last line counts.
import Commands
import Foundation

let options: Options
do {
    options = try Options(Array(CommandLine.arguments.dropFirst()))
} catch {
    FileHandle.standardError.write(Data("zeropod-tests: \(error)\n".utf8))
    exit(2)
}

let run = Task { try await Run(options: options).all() }
let interruptions = Interruptions { run.cancel() }
do {
    exit(try await run.value ? 0 : 1)
} catch {
    FileHandle.standardError.write(Data("zeropod-tests: \(error)\n".utf8))
    exit(1)
}
