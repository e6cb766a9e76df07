import Glibc
import Testing

@testable import Linux

@Suite struct SignalDispositionsTests {
    @Test func handlersAndBlockedSignalsAreHeeded() {
        // SIGHUP (1) is blocked; SIGTERM (15) and signal 64 are caught.
        let dispositions = SignalDispositions(caught: 0x8000_0000_0000_4000, blocked: 1)
        #expect([SIGHUP, SIGTERM, 64].allSatisfy(dispositions.heed))
        #expect([SIGINT, SIGUSR1, 63, 0, 65, -1].allSatisfy { !dispositions.heed($0) })
        #expect([SIGKILL, SIGSTOP, SIGCONT].allSatisfy(dispositions.heed), "nobody can catch or drop these")
    }

    @Test func theKernelTellsOfThisProcess() throws {
        #expect(try !SignalDispositions(of: getpid()).heed(SIGUSR2))
        signal(SIGUSR2) { _ in }
        #expect(try SignalDispositions(of: getpid()).heed(SIGUSR2))
        signal(SIGUSR2, SIG_DFL)
    }

    @Test func aProcessThatIsGoneIsAnError() {
        #expect(throws: SystemError.self) { try SignalDispositions(of: 1 << 22) }
    }
}
