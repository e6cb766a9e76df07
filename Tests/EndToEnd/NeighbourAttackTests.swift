import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// Another container of the pod has the same network namespace, and with it all abstract names of unix sockets.
    @Suite struct NeighbourAttackTests {
        /// Speaks to each of CRIU's sockets as soon as it has a name: connects where that is listened for, in place of the
        /// process that is dumped, and sends descriptors where restored processes await those of each other. What it has
        /// seen is in its log.
        private static let attack = """
            import array, os, socket
            held, seen = [], set()
            stranger = array.array("i", [os.open("/etc/passwd", os.O_RDONLY)])
            print("attacking", flush=True)
            while True:
                with open("/proc/net/unix") as table:
                    names = {words[7] for words in map(str.split, table) if len(words) > 7 and words[7][0] == "@"}
                for name in names:
                    if "crtools" not in name and "criu" not in name and len(name) != 6:
                        continue
                    path = "\\0" + name[1:]
                    for kind in (socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
                        peer = socket.socket(socket.AF_UNIX, kind)
                        peer.setblocking(False)
                        try:
                            peer.connect(path)
                        except OSError as error:
                            if error.errno not in (91, 111) and (name, kind) not in seen:
                                print("refused", name, error, flush=True)
                                seen.add((name, kind))
                            continue
                        held.append(peer)
                        try:
                            if kind == socket.SOCK_DGRAM:
                                peer.sendmsg([b"x" * 8], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, stranger)])
                        except OSError:
                            continue
                        if (name, kind) not in seen:
                            print("reached", name, flush=True)
                            seen.add((name, kind))
            """

        /// Several processes share descriptors, so their restore has most to hand over.
        @Test func criuHearsNobodyElse() async throws {
            let node = try await node(.current)
            try await node.withPod(
                "neighbours", runtime: .zeropod, annotations: sleepy(["container-names": "server"], after: "1h")
            ) { pod in
                let server = try await pod.start("server", image: "nginx")
                let neighbour = try await pod.start(
                    "neighbour", image: "python", command: ["python3", "-u", "-c", Self.attack])
                try await neighbour.awaitLog("attacking")
                try await eventually("nginx serves") { try await node.get(pod.ip4, port: 80).code == 200 }
                let processes = try await server.processes().count
                for cycle in 1...8 {
                    try await eventually("it sleeps") {
                        _ = try await node.run("/opt/zeropod/bin/zeropod", "sleep", server.id, expecting: nil)
                        return try await server.sleepReport().state == "asleep"
                    }
                    #expect(try await node.get(pod.ip4, port: 80, from: .outside).code == 200, "wake \(cycle)")
                    #expect(try await server.processes().count == processes)
                }
                #expect(try await server.sleepReport().lastError == "")
                #expect(try !pod.containerdLog().contains("the restore is tried again"))
                // Names that the kernel makes belong to sockets that nobody reads.
                let reached =
                    try neighbour.log().map(\.text).filter { $0.hasPrefix("reached") && $0.contains("criu") }
                    + neighbour.log().map(\.text).filter { $0.hasPrefix("reached") && $0.contains("crtools") }
                #expect(reached == [])
            }
        }
    }
}
