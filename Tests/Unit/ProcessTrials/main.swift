import Glibc
import Linux

// One trial, by name: exit status 0, or what went wrong on standard error.
let trials: [String: (Trial) -> () throws -> Void] = [
    "everyVerb": Trial.everyVerb,
    "failuresHaveKindAndWords": Trial.failuresHaveKindAndWords,
    "shortLivesAreSeen": Trial.shortLivesAreSeen,
    "anotherProcessIsAdopted": Trial.anotherProcessIsAdopted,
    "containerOutputIsComplete": Trial.containerOutputIsComplete,
    "execReadsItsInputToTheEnd": Trial.execReadsItsInputToTheEnd,
    "backgroundProcessesDoNotHoldExecsUp": Trial.backgroundProcessesDoNotHoldExecsUp,
    "terminalOutputIsComplete": Trial.terminalOutputIsComplete,
    "terminalsHaveSizeAndInput": Trial.terminalsHaveSizeAndInput,
    "aTerminalThatRuncNeverMakesIsNotWaitedFor": Trial.aTerminalThatRuncNeverMakesIsNotWaitedFor,
    "loggersReadEverything": Trial.loggersReadEverything,
    "aLoggerThatCrashesIsNoticed": Trial.aLoggerThatCrashesIsNoticed,
    "aLoggerThatStaysIsTerminated": Trial.aLoggerThatStaysIsTerminated,
    "aStandInBecomesTheProgramWhenAByteComes": Trial.aStandInBecomesTheProgramWhenAByteComes,
    "aStandInEndsWithTheShim": Trial.aStandInEndsWithTheShim,
    "aStandInThatNeedNotWaitStartsAtOnce": Trial.aStandInThatNeedNotWaitStartsAtOnce,
    "aStandInThatFindsNoPlaceEnds": Trial.aStandInThatFindsNoPlaceEnds,
]

let name = CommandLine.arguments.dropFirst().first ?? ""
guard let body = trials[name] else {
    print(trials.keys.sorted().joined(separator: "\n"))
    exit(name.isEmpty ? 0 : 2)
}
let trial = try Trial(name)
var failures: [String] = []
do {
    try body(trial)()
} catch {
    failures.append("\(name): \(error)")
}
failures = trial.failures + failures
trial.end()
try Descriptor(owning: dup(2)).writeAll(Array(failures.map { $0 + "\n" }.joined().utf8))
exit(failures.isEmpty ? 0 : 1)
