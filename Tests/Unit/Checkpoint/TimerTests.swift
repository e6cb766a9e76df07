import CLinux
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
            let timers = try Timers(in: directory, .running)
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

    /// In a time namespace of its own, whose clocks stand still, only the wall's go on: CLOCK_REALTIME and CLOCK_TAI.
    @Test func whatStandsStillHasLeftWhatItHad() throws {
        try withImage(core(seconds: 1000, clocks: [1, 7, 0, 11])) { directory in
            let timers = try Timers(in: directory, .stopped)
            try timers.takeOffSleep()
            let found = try left(in: "\(directory)/core-1.img")
            #expect(Array(found.prefix(3)) == [[1000, 5], [1000, 9], [1000, 9]])
            for timer in found.dropFirst(3) { #expect(timer != [1000, 9]) }
        }
    }

    @Test func stoppedClocksGoOnFromNow() throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-clocks.")
        defer { try? Files.removeTree(directory) }
        let body = message([
            field(1, message([field(1, value: 1), field(2, value: 2)])),
            field(2, message([field(1, value: 3), field(2, value: 4)])),
        ])
        let path = "\(directory)/timens-0.img"
        try Files.write([1, 2, 3, 4, 5, 6, 7, 8, UInt8(body.count), 0, 0, 0] + body, to: path)
        let (before, pid) = (Instant.now.nanoseconds, getpid())
        try StoppedClocks.setToNow(in: directory, of: pid)
        let entry = try ImageFile.entry(path, headerSize: 8)
        let clock = try #require(try entry.message(1, path))
        let now = (clock.number(1) ?? 0) * 1_000_000_000 + (clock.number(2) ?? 0)
        #expect(now >= before && now <= Instant.now.nanoseconds)
        #expect(try #require(try entry.message(2, path)).number(1) != 3)
    }

    @Test func offsetsOfClocksAreRead() {
        let text = "monotonic         -5 250000000\nboottime          12         0\n"
        #expect(StoppedClocks.offset(of: "monotonic", in: text) == -4_750_000_000)
        #expect(StoppedClocks.offset(of: "boottime", in: text) == 12_000_000_000)
        #expect(StoppedClocks.offset(of: "tai", in: text) == 0)
    }

    @Test func descriptorsOfTimersAreSetBack() throws {
        func armed(_ clock: Int32, _ seconds: Int, every interval: Int) throws -> Descriptor {
            let timer = Descriptor(owning: timerfd_create(clock, Int32(TFD_NONBLOCK)))
            var value = itimerspec(
                it_interval: timespec(tv_sec: 0, tv_nsec: interval), it_value: timespec(tv_sec: seconds, tv_nsec: 1))
            try retrying("timerfd_settime") { timerfd_settime(timer.rawValue, 0, &value, nil) }
            return timer
        }
        func left(_ timer: borrowing Descriptor) -> itimerspec {
            var left = itimerspec()
            timerfd_gettime(timer.rawValue, &left)
            return left
        }
        let far = try armed(CLOCK_MONOTONIC, 1000, every: 0)
        let ticking = try armed(CLOCK_BOOTTIME, 0, every: 1_000_000)
        let wall = try armed(CLOCK_REALTIME, 1000, every: 0)
        let disarmed = Descriptor(owning: timerfd_create(CLOCK_MONOTONIC, 0))
        var readable = pollfd(fd: ticking.rawValue, events: Int16(POLLIN), revents: 0)
        try retrying("poll") { poll(&readable, 1, -1) }
        let numbers = [far.rawValue, ticking.rawValue, wall.rawValue, disarmed.rawValue]
        let stopped = try TimerDescriptors(among: numbers, .stopped)
        let before = left(far)
        // What happens asleep: it comes nearer, is read by somebody, and is set to something else.
        var soon = itimerspec(it_interval: timespec(), it_value: timespec(tv_sec: 5, tv_nsec: 0))
        for number in numbers { timerfd_settime(number, 0, &soon, nil) }
        try stopped.giveBackTime()
        #expect(left(far).it_value.tv_sec > 900 && left(far).it_value.tv_sec <= before.it_value.tv_sec)
        var ticks: UInt64 = 0
        #expect(Glibc.read(ticking.rawValue, &ticks, 8) == 8 && ticks > 0)
        #expect(left(ticking).it_interval.tv_nsec == 1_000_000)
        #expect(left(wall).it_value.tv_sec < 6, "the wall's clock goes on")
        #expect(left(disarmed).it_value.tv_sec == 0 && left(disarmed).it_value.tv_nsec == 0)
        #expect(stopped.earliest.map { $0 < .seconds(6) } == true, "of the one that goes on")
    }

    /// Zero would disarm it.
    @Test func whatIsDueIsLeftAMoment() throws {
        try withImage(core(seconds: 0, clocks: [1])) { directory in
            let timers = try Timers(in: directory, .running)
            var pause = timespec(tv_sec: 0, tv_nsec: 20_000)
            nanosleep(&pause, nil)
            try timers.takeOffSleep()
            #expect(try left(in: "\(directory)/core-1.img") == [[0, 1], [0, 1]])
        }
    }

    @Test func imagesWithoutTimersStayAsTheyAre() throws {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 0x08, 0x01]
        try withImage(bytes) { directory in
            try Timers(in: directory, .running).takeOffSleep()
            #expect(try Files.read("\(directory)/core-1.img") == bytes)
        }
    }
}
