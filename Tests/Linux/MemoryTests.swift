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

    /// Only the first thread's stack may be given back, and only what is below its end.
    @MainActor @Test func whatDeepCallsLeftOnTheStackIsGivenBack() throws {
        #expect(gettid() == getpid(), "the main actor is the first thread")
        #expect(sum(200) == 200 * 201 / 2)
        let before = try residentStack()
        Memory.giveBack()
        #expect(try residentStack() < before - 100)
    }

    /// A kilobyte of stack a step.
    @inline(never) private func sum(_ depth: Int) -> Int {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 120) { numbers in
            numbers.initialize(repeating: depth)
            return depth == 0 ? 0 : numbers[depth % 120] + sum(depth - 1)
        }
    }

    private func residentStack() throws -> Int {
        let lines = try Files.readText("/proc/self/smaps").split(separator: "\n").drop { !$0.hasSuffix("[stack]") }
        let line = try #require(lines.first { $0.hasPrefix("Rss:") })
        return Int(line.split(separator: " ")[1]) ?? 0
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
