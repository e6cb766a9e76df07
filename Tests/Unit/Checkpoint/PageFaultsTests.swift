import Glibc
import Linux
import Testing

@testable import Checkpoint

@Suite struct PageFaultsTests {
    private func faults(_ ready: SharedDescriptor) -> PageFaults {
        PageFaults(ready: ready, Snapshot(directory: "/tmp/zeropod-no-images"), LazyMemory())
    }

    /// A criu that was prepared and has died is replaced by another, which asks the same server.
    @Test func aServerThatIsReadyIsReadyForTheNextAttempt() throws {
        let pipe = try SharedPipe()
        _ = try pipe.write.descriptor.write([1])
        let faults = faults(pipe.read)
        try faults.awaitServer()
        try faults.awaitServer()
        withExtendedLifetime(pipe.write) {}
    }

    @Test func aServerThatEndedIsNeverReady() throws {
        var pipe: SharedPipe? = try SharedPipe()
        let read = try #require(pipe?.read)
        pipe = nil
        let faults = faults(read)
        for _ in 1...2 { #expect(throws: SystemError.self) { try faults.awaitServer() } }
    }
}
