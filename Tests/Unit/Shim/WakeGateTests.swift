import Glibc
import Linux
import Testing

@testable import Shim

/// Gates of several shims at one directory. A lock is of an open file, so they need not be processes.
@Suite struct WakeGateTests {
    private final class Node {
        let loop: EventLoop
        let directory: String
        var admitted: [String] = []
        private let limit: Int

        init(limit: Int) throws {
            loop = try EventLoop()
            directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-wakes-")
            self.limit = limit
        }

        deinit { try? Files.removeTree(directory) }

        func gate() -> WakeGate { WakeGate(directory, atOnce: limit, loop: loop) }

        func enter(_ name: String, _ gate: WakeGate, memory: UInt64 = 0) throws {
            try gate.enter(name, memory: memory) { [unowned self] in admitted.append(name) }
        }

        /// Far later than it takes.
        func await(_ names: [String]) throws {
            var isLate = false
            let timer = loop.after(.seconds(60)) { isLate = true }
            try loop.run(until: { isLate || admitted.count >= names.count })
            loop.cancel(timer)
            #expect(admitted == names)
        }
    }

    @Test func soManyGoOnAndOthersWaitInOrder() throws {
        let node = try Node(limit: 2)
        let names = ["a", "b", "c", "d", "e"]
        let gates = names.map { _ in node.gate() }
        for (name, gate) in zip(names, gates) { try node.enter(name, gate) }
        #expect(node.admitted == ["a", "b"])
        #expect(zip(names, gates).filter { $1.isWaiting($0) }.map(\.0) == ["c", "d", "e"])
        gates[1].leave("b")
        try node.await(["a", "b", "c"])
        gates[0].leave("a")
        gates[2].leave("c")
        try node.await(names)
        for (name, gate) in zip(names, gates) { gate.leave(name) }
        #expect(try Files.names(in: node.directory) == [])
    }

    /// Nothing but its lock tells of a shim that was killed.
    @Test func theTurnOfADeadShimIsTheNextOnes() throws {
        let node = try Node(limit: 1)
        var dead: WakeGate? = node.gate()
        if let dead { try node.enter("dead", dead) }
        let next = node.gate()
        try node.enter("next", next)
        #expect(node.admitted == ["dead"])
        dead = nil
        try node.await(["dead", "next"])
        #expect(try Files.names(in: node.directory).count == 1)
        next.leave("next")
    }

    @Test func whoGivesUpIsNotCalled() throws {
        let node = try Node(limit: 1)
        let (one, two, three) = (node.gate(), node.gate(), node.gate())
        try node.enter("one", one)
        try node.enter("two", two)
        try node.enter("three", three)
        two.leave("two")
        one.leave("one")
        try node.await(["one", "three"])
        three.leave("three")
    }

    /// What comes back has to have room, but the first one goes on in any case: else nobody would.
    @Test func memoryThatIsNotThereIsWaitedFor() throws {
        let node = try Node(limit: 8)
        let (large, small) = (node.gate(), node.gate())
        try node.enter("large", large, memory: .max)
        try node.enter("small", small, memory: 1)
        #expect(node.admitted == ["large"])
        large.leave("large")
        try node.await(["large", "small"])
        small.leave("small")
    }

    /// Of those that share a limit above them so many wake at a time as fit below it, and one in any case.
    @Test func memoryThatAParentHasNotIsWaitedFor() throws {
        let node = try Node(limit: 8)
        let names = ["a", "b", "c"]
        let gates = names.map { _ in node.gate() }
        for (name, gate) in zip(names, gates) {
            try gate.enter(name, memory: 300, room: { 200 }, then: { node.admitted.append(name) })
        }
        #expect(node.admitted == ["a"])
        gates[0].leave("a")
        try node.await(["a", "b"])
        gates[1].leave("b")
        try node.await(names)
        gates[2].leave("c")
    }

    @Test func containersOfOneShimWaitAsWell() throws {
        let node = try Node(limit: 1)
        let gate = node.gate()
        for name in ["a", "b"] { try node.enter(name, gate) }
        #expect(node.admitted == ["a"] && gate.isWaiting("b") && !gate.isWaiting("a"))
        gate.leave("a")
        try node.await(["a", "b"])
        gate.leave("b")
    }
}
