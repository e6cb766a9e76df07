import Checkpoint
import Glibc
import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim

/// Starts and ends that do not go as they should.
@Suite struct StartAndEndFailuresTests {
    /// Its start is told first.
    @Test(arguments: [true, false]) func anInitThatEndsAtOnceIsToldInOrder(_ isHeardFirst: Bool) throws {
        let life = try StandInLife(on: try StandInNode())
        life.create()
        life.node.settle()
        let started = life.start()
        if isHeardFirst {
            // runc has let it go, and is not back yet.
            try life.outside.exit(life.container.main.pid)
            life.node.next("exit")
            #expect(started.result == nil)
        }
        life.node.next("start")
        life.node.settle()
        try life.endAndExpectNothingLeft()
    }

    @Test func whatIsNeverStartedIsDeleted() throws {
        let life = try StandInLife(on: try StandInNode())
        life.create()
        life.node.settle()
        let deletion = life.delete()
        life.node.settle()
        #expect(deletion.succeeded)
        try life.endAndExpectNothingLeft()
    }

    @Test(arguments: ["create", "start", "exec", "pause", "resume", "update", "checkpoint", "kill"])
    func whatRuncRefusesIsTold(_ verb: String) throws {
        struct Refused: Error {}
        let life = try StandInLife(on: try StandInNode())
        func refused<Value>(_ answer: StandInLife.Answer<Value>) -> Bool {
            life.node.failing[verb] = Refused()
            life.node.settle()
            life.node.failing = [:]
            return answer.refusal == .other
        }
        if verb == "create" { #expect(refused(life.create())) }
        life.create()
        life.node.settle()
        if verb == "start" { #expect(refused(life.start())) }
        life.start()
        life.node.settle()
        life.exec("x")
        switch verb {
        case "exec": #expect(refused(life.start("x")))
        case "pause": #expect(refused(life.pause()))
        case "resume":
            life.pause()
            life.node.settle()
            #expect(refused(life.resume()))
        case "update": #expect(refused(life.update()))
        case "checkpoint": #expect(refused(life.export()))
        case "kill": #expect(refused(life.kill(SIGTERM)))
        default: break
        }
        try life.endAndExpectNothingLeft()
    }

    /// What runc says of an init that ends while it is on its way is another word for that.
    @Test(arguments: [SIGKILL, SIGTERM]) func aKillThatComesTooLateIsNoFailureOfRunc(_ signal: Int32) throws {
        let life = try StandInLife.running()
        let kill = life.kill(signal)
        try life.outside.exit(life.container.main.pid)
        life.node.next("kill")
        #expect(kill.refusal == .notFound)
        life.node.settle()
        try life.endAndExpectNothingLeft()
    }
}
