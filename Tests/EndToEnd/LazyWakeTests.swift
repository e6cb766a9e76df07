import CRI
import Commands
import Foundation
import TestNode
import Testing

/// A server whose memory is worth something: megabytes that each hold their own number, all over. Answers on 8080 with
/// how many it finds as they should be: `/` looks at one, `/all` at all of them.
private let hoarder = """
    import http.server, sys, mmap, os, threading
    count = int(sys.argv[1])
    hoard = mmap.mmap(-1, count << 20, flags=mmap.MAP_PRIVATE)
    for n in range(count): hoard[n << 20:(n + 1) << 20] = b"%08d" % n * (1 << 17)
    def right(n): return hoard[n << 20:(n + 1) << 20] == b"%08d" % n * (1 << 17)
    def commotion(): exec(os.environ.get("COMMOTION", ""), globals())
    asked = threading.Event()
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.set()
            numbers = range(count) if self.path == "/all" else [count // 2]
            body = b"%d" % sum(right(n) for n in numbers)
            self.send_response(200); self.end_headers(); self.wfile.write(body)
        def log_message(self, *_): pass
    threading.Thread(target=commotion, daemon=True).start()
    http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
    """

private func hoarderCommand(megabytes: Int) -> [String] { ["python3", "-c", hoarder, "\(megabytes)"] }

/// What makes life hard for who brings memory: threads that fork children which read what has not come yet, move and
/// drop memory of their own, and take new one, all the time. Forks end soon after a request: parent and child in the same
/// images have the same addresses, and wake eagerly.
private let commotion = """
    import ctypes, time, subprocess
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mremap.restype = ctypes.c_void_p
    libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    wrong = []
    def maps():
        size = 8 << 20
        place = libc.mmap(None, size, 3, 0x22, -1, 0)
        ctypes.memset(place, 7, size)
        turn = 0
        while True:
            time.sleep(0.01)
            turn += 1
            page = place + (turn * 40960) % (size - 8192)
            libc.madvise(page, 4096, 4)
            if ctypes.string_at(page, 1) != b"\\0": wrong.append("dropped memory is back")
            if ctypes.string_at(page + 4096, 1) not in (b"\\0", b"\\7"): wrong.append("kept memory is gone")
            other = libc.mmap(None, 1 << 20, 3, 0x22, -1, 0)
            ctypes.memset(other, 9, 1 << 20)
            other = libc.mremap(other, 1 << 20, 4 << 20, 1)
            if ctypes.string_at(other, 1) != b"\\x09": wrong.append("moved memory is gone")
            libc.munmap(other, 4 << 20)
    def forks():
        turn = 0
        while True:
            if turn % 4 == 0: asked.wait(); asked.clear()
            time.sleep(0.02)
            turn += 1
            child = os.fork()
            if child == 0: os._exit(0 if right(turn * 7 % count) else 1)
            if os.waitpid(child, 0)[1]: wrong.append("a child saw something else")
    for body in (maps, forks): threading.Thread(target=body, daemon=True).start()
    while not wrong: time.sleep(0.1)
    print(wrong, flush=True)
    os._exit(9)
    """

extension AlteredNodes {
    /// What brings the memory ends before its time.
    @Suite struct LostMemoryTests {
        /// Gives `body` a server that has been woken by a request for all of its memory, or by one that needs little, and
        /// whose page server, of this pid, has most still to bring.
        private func withMissingMemory(
            command: [String] = hoarderCommand(megabytes: 300), path: String = "/all",
            _ body: (TestNode, Container, _ pages: String) async throws -> Void
        ) async throws {
            let node = try await node(.current)
            // With a hundredth of a processor: seconds, and enough for what a restore waits for. (To stop it is no way:
            // criu ends when it goes on, as its epoll_wait fails with EINTR then.)
            let group = """
                slow=$([ -d /sys/fs/cgroup/cpu ] && echo /sys/fs/cgroup/cpu/slow || echo /sys/fs/cgroup/slow)
                mkdir $slow && ln -s $slow /run/slow
                [ ! -e $slow/cpu.cfs_quota_us ] || echo 1000 >$slow/cpu.cfs_quota_us
                [ ! -e $slow/cpu.max ] || echo '1000 100000' >$slow/cpu.max
                """
            let back = """
                rm -f /run/page-server
                until rmdir "$(readlink /run/slow)"; do sleep 0.1; done; rm /run/slow
                """
            let slow = StandInForCRIU(
                lines: """
                    if [ $1 = lazy-pages ]; then
                        echo $$ >/run/page-server
                        echo $$ >/run/slow/cgroup.procs
                    fi
                    """)
            try await node.altered(by: group, back: back) {
                try await node.withStandInForCRIU(slow) {
                    try await node.withSleepyPod("lost", ["wake": "lazy"]) { pod in
                        let server = try await pod.start("server", image: "python", command: command)
                        try await server.awaitSleep()
                        async let answer = try? node.get(pod.ip4, port: 8080, path: path)
                        try await server.awaitShimLog("restored")
                        let pid = try #require(try await node.shell("cat /run/page-server").lines.first)
                        try await body(node, server, String(pid))
                        let came = await answer
                        #expect(came == nil || path != "/all")
                    }
                }
            }
        }

        /// Nobody sees zeros in place of the memory: the container ends, and the log says why.
        @Test func theContainerEndsWithItsPageServer() async throws {
            try await withMissingMemory { node, server, pages in
                try await node.run("kill", "-KILL", pages)
                #expect(try await server.awaitExit().exitCode == 255)
                try await server.awaitShimLog("before all memory was there")
                let kept = node.state.appending(path: "zeropod/failed/\(server.id)")
                #expect(FileManager.default.fileExists(atPath: kept.appending(path: "images/pages-1.img").path()))
                try FileManager.default.removeItem(at: kept.deletingLastPathComponent())
            }
        }

        /// A small process beside the one whose memory comes has all of its own. The shell wants new pages of its heap when
        /// criu has handed it all that there is, and has closed its userfaultfd. (criu does so when nobody has asked for
        /// a page just now, so nothing may ask for one after another.)
        @Test func othersDoNotWaitForTheMemoryOfOne() async throws {
            let heed = "n=0; s=x; while [ $n -lt 16 ]; do s=$s$s; n=$((n + 1)); done; exit 7"
            let command = ["sh", "-c", "trap '\(heed)' TERM; \"$@\" & wait", "sh"] + hoarderCommand(megabytes: 300)
            try await withMissingMemory(command: command, path: "/") { node, server, pages in
                let descriptors = "ls -l /proc/\(pages)/fd | grep -c userfaultfd"
                try await eventually("the page server is done with the shell") {
                    try await node.shell(descriptors, expecting: nil).text == "1\n"
                }
                try await server.stop(timeout: 10)
                #expect(try await server.awaitExit().exitCode == 7)
            }
        }

        /// There is none from the start: all memory comes at once, and the criu that it was to serve waits for nothing.
        @Test(arguments: ["lazy", "prestarted,lazy"]) func withoutAPageServerItWakesEagerly(_ wake: String) async throws
        {
            let node = try await node(.current)
            try await node.withStandInForCRIU(StandInForCRIU(lines: "[ $1 != lazy-pages ] || exit 1")) {
                try await node.withSleepyPod("unserved", after: "1h", ["wake": wake]) { pod in
                    let server = try await pod.start("server", image: "python", command: hoarderCommand(megabytes: 100))
                    var limits = Resources()
                    limits.memoryLimit = 400 << 20
                    try await node.cri.updateContainerResources(server.id, limits)
                    try await eventually("it sleeps") {
                        try await node.run("/opt/zeropod/bin/zeropod", "sleep", server.id, expecting: nil).status == 0
                    }
                    #expect(try await node.get(pod.ip4, port: 8080, path: "/all").text == "100")
                    try await server.awaitShimLog("the restore is tried again in")
                    try await server.expectWakes(1)
                    try await eventually("no criu waits") {
                        try await node.shell("pgrep -f 'criu(.real)? swrk'", expecting: nil).text.isEmpty
                    }
                    let limit = try await server.memoryLimit()
                    #expect(limit == 400 << 20)
                }
            }
        }

        /// It can be ended at once, and takes the page server and the images along.
        @Test func theContainerEndsBeforeItsMemoryIsThere() async throws {
            try await withMissingMemory { node, server, pages in
                #expect(FileManager.default.fileExists(atPath: server.snapshot.appending(path: "images").path()))
                try await server.stop(timeout: 0)
                #expect(try await server.awaitExit().exitCode == 137)
                try await eventually("the page server is gone") {
                    try await node.shell("test -e /proc/\(pages)", expecting: nil).status != 0
                }
                #expect(!FileManager.default.fileExists(atPath: server.snapshot.path()))
            }
        }
    }
}

extension SleepingPods {
    /// A container that runs before all of its memory is back.
    @Suite struct LazyWakeTests {
        private let size = 300

        private func withHoarder(
            _ wake: String?, _ environment: [String: String] = [:], after: String = "500ms",
            _ body: (TestNode, Pod, Container) async throws -> Void
        ) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("hoarder", after: after, wake.map { ["wake": $0] } ?? [:]) { pod in
                let container = try await pod.start(
                    "hoarder", image: "python", command: hoarderCommand(megabytes: size), environment: environment)
                try await body(node, pod, container)
            }
        }

        @Test(arguments: [nil, "lazy", "prestarted,lazy"]) func allMemoryComes(_ wake: String?) async throws {
            try await withHoarder(wake) { node, pod, container in
                for cycle in 1...3 {
                    try await container.awaitSleep(cycle)
                    #expect(try await node.get(pod.ip4, port: 8080).text == "1")
                    #expect(try await node.get(pod.ip4, port: 8080, path: "/all").text == "\(size)")
                    try await container.awaitShimLog("all memory is there", times: cycle)
                }
                // Nothing stays of the images when all has come.
                #expect(!FileManager.default.fileExists(atPath: container.snapshot.appending(path: "images").path()))
            }
        }

        /// Nobody asks for the memory: it comes all the same, and the container can sleep again.
        @Test func memoryComesUnasked() async throws {
            try await withHoarder("lazy") { node, pod, container in
                for cycle in 1...3 {
                    try await container.awaitSleep(cycle)
                    #expect(try await node.get(pod.ip4, port: 8080).text == "1")
                }
                try await container.awaitSleep(4)
                #expect(try await node.get(pod.ip4, port: 8080, path: "/all").text == "\(size)")
            }
        }

        /// The limit holds while the memory comes, without room for anything else.
        @Test func memoryComesWithinTheContainersLimit() async throws {
            try await withHoarder("lazy", after: "1s") { node, pod, container in
                let shim = try await container.shim()
                // All of it is there.
                try await eventually("it answers") { (try? await node.get(pod.ip4, port: 8080))?.text == "1" }
                let memory = try await shim.stats(container.id).memoryUsage + (8 << 20)
                try await shim.update(container.id, resources: #"{"memory":{"limit":\#(memory),"swap":\#(memory)}}"#)
                for cycle in 1...3 {
                    try await container.awaitSleep(cycle)
                    #expect(try await node.get(pod.ip4, port: 8080, path: "/all").text == "\(size)")
                    try await container.awaitShimLog("all memory is there", times: cycle)
                }
                #expect(try await shim.stats(container.id).memoryLimit <= memory)
            }
        }

        @Test func whoWantsToWakeEagerlyDoes() async throws {
            try await withHoarder("eager") { node, pod, container in
                try await container.awaitSleep()
                #expect(try await node.get(pod.ip4, port: 8080, path: "/all").text == "\(size)")
                #expect(try container.shimLog().allSatisfy { !$0.contains("all memory is there") })
            }
        }

        @Test func memoryThatIsForkedMovedAndDroppedMeanwhileIsRight() async throws {
            try await withHoarder("lazy", ["COMMOTION": commotion]) { node, pod, container in
                for cycle in 1...8 {
                    try await container.awaitSleep(cycle)
                    #expect(try await node.get(pod.ip4, port: 8080, path: "/all").text == "\(size)")
                    try await container.awaitShimLog("all memory is there", times: cycle)
                }
            }
        }
    }
}
