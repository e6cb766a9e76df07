import Glibc
import Testing

@testable import Checkpoint

/// What a process has been set to and would be without after a wake.
struct LostSettingsTests {
    private func status(_ storeBypass: String, _ indirectBranch: String = "conditional enabled", seccomp: Int = 0)
        -> LostSettings.Speculation
    {
        LostSettings.Speculation(
            inStatus: """
                Name:\tpython3
                Seccomp:\t\(seccomp)
                Speculation_Store_Bypass:\t\(storeBypass)
                SpeculationIndirectBranch:\t\(indirectBranch)

                """)
    }

    @Test func speculationControlIsFound() {
        let usual = status("thread vulnerable")
        #expect(status("thread vulnerable", seccomp: 2).isSet(otherwiseThan: usual) == nil)
        #expect(
            status("thread mitigated", seccomp: 2).isSet(otherwiseThan: usual)
                == "Speculation_Store_Bypass: thread mitigated")
        #expect(status("thread force mitigated").isSet(otherwiseThan: usual) != nil)
        #expect(status("thread vulnerable", "conditional disabled").isSet(otherwiseThan: usual) != nil)
    }

    /// Which nodes do by themselves that mitigate by seccomp.
    @Test func whatComesWithAFilterIsNot() {
        let usual = status("thread vulnerable")
        #expect(
            status("thread force mitigated", "conditional force disabled", seccomp: 2).isSet(otherwiseThan: usual)
                == nil)
    }

    @Test(arguments: ["", "Name:\tx\n"]) func whatTellsNothingHasSetNothing(_ text: String) {
        let usual = status("thread vulnerable")
        #expect(LostSettings.Speculation(inStatus: text).isSet(otherwiseThan: usual) == nil)
    }

    @Test func aMemoryPolicyIsFound() {
        #expect(LostSettings.memoryPolicy(inMaps: "563cd7c09000 default file=/usr/bin/head mapped=2 N0=2\n") == nil)
        #expect(LostSettings.memoryPolicy(inMaps: "563cd7c09000 bind:0-1 file=/usr/bin/he") == "bind:0-1")
        #expect(LostSettings.memoryPolicy(inMaps: "") == nil)
    }

    @Test func thisProcessHasSetNothing() throws {
        try LostSettings.refuse(in: [getpid()])
    }
}
