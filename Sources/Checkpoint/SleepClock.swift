import Glibc
import Linux
import Synchronization

/// What clocks that count from the node's start do while a container sleeps.
package enum SleepClock: Sendable {
    /// The clocks go on, as for processes that stand still.
    case running
    /// The clocks stand still: a wake puts the processes into a time namespace whose clocks are as at the checkpoint.
    case stopped

    /// Whether timers of this clock go on while there are no processes.
    ///
    /// Processor time does not. A time namespace has clocks of its own but for those of the wall (time_namespaces(7)):
    /// CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM and CLOCK_TAI. Clocks of other processes have negative
    /// numbers.
    func goesOn(_ clock: Int32) -> Bool {
        switch clock {
        case CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM, CLOCK_TAI: true
        case CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID: false
        default: self == .running && clock >= 0
        }
    }
}

/// The clocks that a restored time namespace goes on from: `timens_entry` and `timespec` of CRIU's images/timens.proto.
enum StoppedClocks {
    private enum Field {
        static let monotonic: UInt64 = 1
        static let boottime: UInt64 = 2
        static let seconds: UInt64 = 1
        static let nanoseconds: UInt64 = 2
    }

    /// A wake will make a time namespace, which the kernel may lack and a node may forbid (user.max_time_namespaces).
    static func requireNamespaces() throws(CheckpointError) {
        let made = Mutex<Result<Void, SystemError>>(.success(()))
        do throws(SystemError) {
            // On a thread that ends with it: its children would be in there.
            try JoinedThread("clock") {
                let result = Result { () throws(SystemError) in
                    try retrying("unshare", "time namespace") { unshare(newTimeNamespace) }
                    return ()
                }
                made.withLock { $0 = result }
            }.join()
            try made.withLock { $0 }.get()
        } catch {
            throw .lossy(reason: "its clocks cannot stand still (zeropod.ctrox.dev/clock): \(error)")
        }
    }

    /// CLONE_NEWTIME of <linux/sched.h>.
    private static let newTimeNamespace: Int32 = 0x80

    /// CRIU reads the clocks before the timers. They are set to now, so that no timer comes due before its clock is there.
    ///
    /// - Parameter pid: of a process that has these clocks.
    static func setToNow(in directory: String, of pid: pid_t) throws(CheckpointError) {
        let (names, offsets): ([String], String)
        do throws(SystemError) {
            names = try Files.names(in: directory)
            offsets = try Files.readText("/proc/\(pid)/timens_offsets")
        } catch {
            throw .system(error)
        }
        for name in names where name.hasPrefix("timens-") && name.hasSuffix(".img") {
            try ImageFile.edit("\(directory)/\(name)") { entry throws(CheckpointError) in
                for (field, clock, word) in [
                    (Field.monotonic, CLOCK_MONOTONIC, "monotonic"), (Field.boottime, CLOCK_BOOTTIME, "boottime"),
                ] {
                    let now = now(by: clock, offset(of: word, in: offsets))
                    let value = [
                        ImageFile.Message.Field(number: Field.seconds, value: UInt64(max(0, now) / 1_000_000_000)),
                        ImageFile.Message.Field(number: Field.nanoseconds, value: UInt64(max(0, now) % 1_000_000_000)),
                    ]
                    entry.set(field, value.flatMap(\.encoded))
                }
                return true
            }
        }
    }

    /// In nanoseconds.
    private static func now(by clock: clockid_t, _ offset: Int64) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) + offset
    }

    /// Lines `CLOCK SECONDS NANOSECONDS` of /proc/PID/timens_offsets (time_namespaces(7)).
    static func offset(of clock: String, in text: String) -> Int64 {
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count == 3, words[0] == clock, let seconds = Int64(words[1]), let rest = Int64(words[2]) else {
                continue
            }
            return seconds * 1_000_000_000 + rest
        }
        return 0
    }
}
