import Glibc
import Linux
import Testing

@testable import Checkpoint

/// Timers of processes in images: what was left of them.
struct TimerTests {
    private func field(_ number: UInt64, _ bytes: [UInt8]) -> ImageFile.Message.Field { .init(number: number, bytes) }
    private func field(_ number: UInt64, value: UInt64) -> ImageFile.Message.Field {
        .init(number: number, value: value)
    }
    private func message(_ fields: [ImageFile.Message.Field]) -> [UInt8] { fields.flatMap(\.encoded) }

    /// An interval timer of so many seconds, and a POSIX one of each of these clocks.
    private func core(seconds: UInt64, clocks: [UInt64]) -> [UInt8] {
        let interval = message([field(1, value: 0), field(2, value: 0), field(3, value: seconds), field(4, value: 5)])
        let posix = clocks.map { clock in
            field(
                4, message([field(1, value: 7), field(2, value: clock), field(9, value: seconds), field(10, value: 9)]))
        }
        let timers = message([field(1, interval)] + posix)
        let body = message([field(1, value: 1), field(3, message([field(1, value: 1), field(7, timers)]))])
        let size = (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) }
        return [1, 2, 3, 4, 5, 6, 7, 8] + size + body
    }

    /// Seconds and rest of all timers in an image.
    private func left(in path: String) throws -> [[UInt64]] {
        var found: [[UInt64]] = []
        try ImageFile.edit(path) { entry throws(CheckpointError) in
            let timers = try entry.message(3, path)?.message(7, path)
            for timer in timers?.fields ?? [] {
                let value = try ImageFile.Message(parsing: timer.bytes, path: path)
                let (seconds, rest): (UInt64, UInt64) = timer.number == 1 ? (3, 4) : (9, 10)
                found.append([value.number(seconds) ?? 0, value.number(rest) ?? 0])
            }
            return false
        }
        return found
    }

    private func withImage(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-timers.")
        defer { try? Files.removeTree(directory) }
        try Files.write(bytes, to: "\(directory)/core-1.img")
        try body(directory)
    }

    @Test func theSleepIsTakenOff() throws {
        // CLOCK_MONOTONIC, CLOCK_REALTIME, and CLOCK_PROCESS_CPUTIME_ID, which stands still.
        try withImage(core(seconds: 1000, clocks: [1, 0, 2])) { directory in
            let timers = try Timers(in: directory)
            try timers.takeOffSleep()
            let found = try left(in: "\(directory)/core-1.img")
            #expect(found.count == 4)
            for timer in found.prefix(3) { #expect(timer[0] == 999 || timer[0] == 1000, "\(found)") }
            #expect(found[3] == [1000, 9])
            // Not twice: it may be tried again.
            try timers.takeOffSleep()
            #expect(try left(in: "\(directory)/core-1.img")[0][0] >= 998)
        }
    }

    /// Zero would disarm it.
    @Test func whatIsDueIsLeftAMoment() throws {
        try withImage(core(seconds: 0, clocks: [1])) { directory in
            let timers = try Timers(in: directory)
            var pause = timespec(tv_sec: 0, tv_nsec: 20_000)
            nanosleep(&pause, nil)
            try timers.takeOffSleep()
            #expect(try left(in: "\(directory)/core-1.img") == [[0, 1], [0, 1]])
        }
    }

    @Test func imagesWithoutTimersStayAsTheyAre() throws {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 0x08, 0x01]
        try withImage(bytes) { directory in
            try Timers(in: directory).takeOffSleep()
            #expect(try Files.read("\(directory)/core-1.img") == bytes)
        }
    }
}
