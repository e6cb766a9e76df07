import Glibc
import Linux
import Testing

/// Trials with a real runc and other real children. Each runs in a process of its own (Tests/Unit/ProcessTrials says why).
@Suite(.serialized) struct TrialTests {
    private static let canRunContainers =
        getuid() == 0 && Command.find("runc") != nil && Command.find("busybox") != nil

    @Test(
        .enabled(if: canRunContainers, "needs root, runc and a static busybox"),
        arguments: [
            "everyVerb", "failuresHaveKindAndWords", "shortLivesAreSeen", "anotherProcessIsAdopted",
            "containerOutputIsComplete", "execReadsItsInputToTheEnd", "backgroundProcessesDoNotHoldExecsUp",
            "terminalOutputIsComplete", "terminalsHaveSizeAndInput", "aTerminalThatRuncNeverMakesIsNotWaitedFor",
            "loggersReadEverything",
        ])
    func withRunc(_ trial: String) throws {
        try run(trial)
    }

    @Test(
        .enabled(if: Command.find("busybox") != nil),
        arguments: ["aLoggerThatCrashesIsNoticed", "aLoggerThatStaysIsTerminated"])
    func withoutRunc(_ trial: String) throws {
        try run(trial)
    }

    @Test(
        .enabled(if: getuid() == 0, "namespaces are entered"),
        arguments: [
            "aStandInBecomesTheProgramWhenAByteComes", "aStandInEndsWithTheShim",
            "aStandInThatNeedNotWaitStartsAtOnce", "aStandInThatFindsNoPlaceEnds",
        ])
    func standIns(_ trial: String) throws {
        try run(trial)
    }

    private func run(_ trial: String) throws {
        let products = try Files.target(ofLink: "/proc/self/exe").split(separator: "/").dropLast()
        let output = try Descriptor.memoryFile("trial")
        var command = Command("/" + products.joined(separator: "/") + "/process-trials", [trial])
        command.descriptors = [1: output.rawValue, 2: output.rawValue]
        let pid = try command.spawn()
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        try output.rewind()
        let words = String(decoding: try output.readAll(), as: UTF8.self)
        #expect(status == 0, "\(words)")
    }
}
