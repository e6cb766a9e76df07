import Glibc
import Testing

@testable import Linux

@Suite struct MemoryTests {
    @Test func theProgramIsUnmappedAndComesBackAsItRuns() throws {
        let program = try Files.target(ofLink: "/proc/self/exe")
        let before = try residentCode(of: program)
        Memory.unmapProgram()
        let after = try residentCode(of: program)
        #expect(after < before)
        // What ran since had to be mapped again.
        #expect(after > 0)
    }

    /// Kilobytes of a file's executable mappings that are in this process's page tables.
    private func residentCode(of program: String) throws -> Int {
        var sum = 0
        var isCode = false
        for line in try Files.readText("/proc/self/smaps").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first?.contains("-") == true, words.count >= 2 {
                isCode = words[1].hasPrefix("r-x") && line.hasSuffix(program)
            } else if isCode, words.first == "Rss:" {
                sum += Int(words[1]) ?? 0
            }
        }
        return sum
    }
}
