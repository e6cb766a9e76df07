import CDataPath
import DataPath
import Glibc
import Linux
import Synchronization
import Testing

/// What a checkpoint would lose, and /proc does not show. Each kind is tried in a container (Tests/Fidelity).
@Suite struct TaskIteratorTests {
    @Test func whoIsRestrictedIsFoundAndNobodyElse() throws {
        try inScratch {
            #expect(try TaskIterator.loss(of: [getpid()]) == nil, "it is not installed")
            let pod = try TestPod(1)
            let report = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            guard case .installed = report.tasks else { throw NotInstalled(status: "\(report.tasks)") }
            guard zp_landlock_is_there() else { return }
            let (free, restricted) = (try sleeper(), try restrictedSleeper())
            defer { end([free, restricted]) }
            #expect(try TaskIterator.loss(of: [free]) == nil)
            #expect(
                try TaskIterator.loss(of: [free, restricted])
                    == "process \(restricted) is restricted by landlock, which cannot be given back")
        }
    }

    /// Which needs rights that no container of the tests has.
    @Test func whoseChildrenAreToBeElsewhereIsFound() throws {
        try inScratch {
            let pod = try TestPod(1)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            let parent = try Command("/usr/bin/unshare", ["--pid", "--fork", "--kill-child", "sleep", "1000"]).spawn()
            defer { end([parent]) }
            let place = "/proc/\(parent)/ns"
            try EventLoop().wait(looking: true) {
                (try? Files.target(ofLink: "\(place)/pid_for_children")) != (try? Files.target(ofLink: "\(place)/pid"))
            }
            #expect(
                try TaskIterator.loss(of: [parent])
                    == "process \(parent) makes its children in another namespace than its own, which cannot be given back"
            )
        }
    }

    @Test func itGoesWithTheLastPod() throws {
        try inScratch {
            let pod = try TestPod(1)
            for _ in 1...2 {
                let report = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
                #expect(Files.exists("\(TrackerTests.tracker)/tasks-1"), "\(report.tasks)")
            }
            try Redirector.detach(pod: "one")
            #expect(!Files.exists("/sys/fs/bpf/zeropod"))
        }
    }

    private func sleeper() throws(SystemError) -> pid_t { try Command("/bin/sleep", ["1000"]).spawn() }

    /// A thread restricts itself, and what it starts.
    private func restrictedSleeper() throws -> pid_t {
        let started = Mutex<pid_t>(0)
        try JoinedThread("restricted") {
            guard zp_landlock_restrict() == 0, let pid = try? sleeper() else { return }
            started.withLock { $0 = pid }
        }.join()
        let pid = started.withLock { $0 }
        try #require(pid > 0)
        return pid
    }

    private func end(_ pids: [pid_t]) {
        for pid in pids {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    struct NotInstalled: Error {
        let status: String
    }
}
