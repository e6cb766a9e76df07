import JSON
import Testing

@testable import NodeDaemon

@Suite struct WatchEventsTests {
    private let added = #"{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"7"}}}"#

    @Test func eventsComeInPieces() {
        let bytes = Array("\(added)\n{\"type\":\"DELETED\",\"object\":{}}\n".utf8)
        for size in [1, 2, 7, bytes.count] {
            var events = WatchEvents()
            var found: [WatchEvents.Event] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                found += events.take(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            #expect(found.count == 2)
            guard case .present(let pod) = found.first else { return #expect(Bool(false), "\(found)") }
            #expect(pod["metadata"]?["name"] == "a")
            #expect(found.last == .deleted(.object(JSON.Object())))
        }
    }

    @Test(arguments: [
        (
            #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"99"}}}"#,
            WatchEvents.Event.bookmark(version: "99")
        ),
        (#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#, .expired),
        (#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Gone","message":"too old"}}"#, .expired),
        (
            #"{"type":"ERROR","object":{"kind":"Status","code":500,"reason":"InternalError","message":"etcd"}}"#,
            .failed(APIFailure(status: 500, reason: "InternalError", message: "etcd"))
        ),
        ("<html>", .failed(APIFailure(status: 0, message: "this is no event of a watch: <html>"))),
    ]) func kindsOfEvents(_ line: String, _ event: WatchEvents.Event) {
        var events = WatchEvents()
        #expect(events.take(Array("\(line)\n".utf8)) == [event])
    }

    @Test func aLineWithoutEndIsNotKept() {
        var events = WatchEvents()
        var found: [WatchEvents.Event] = []
        for _ in 0..<9 { found += events.take([UInt8](repeating: 0x20, count: 1 << 20)) }
        #expect(found.count == 1)
    }

    @Test(arguments: [
        (404, "NotFound", "", APIFailure.Kind.gone), (409, "AlreadyExists", "", .exists),
        (409, "Conflict", "", .conflict),
        (429, "TooManyRequests", "", .passing), (0, "", "connection refused", .passing), (500, "", "", .passing),
        (401, "Unauthorized", "", .passing), (403, "Forbidden", "exceeded quota", .refused),
        (403, "Forbidden", "unable to create: because it is being terminated", .gone), (422, "Invalid", "", .refused),
    ]) func whatToDoAboutAFailure(_ status: Int, _ reason: String, _ message: String, _ kind: APIFailure.Kind) {
        #expect(APIFailure(status: status, reason: reason, message: message).kind == kind)
    }

    @Test func newerPodsStay() {
        func pod(_ version: String, uid: String = "u") -> NodeDaemon.Pod {
            var pod = Pod()
            (pod.version, pod.uid) = (version, uid)
            return pod
        }
        #expect(pod("100").isNewer(than: pod("99")))
        #expect(!pod("99").isNewer(than: pod("100")))
        #expect(!pod("100").isNewer(than: pod("99", uid: "other")))
        #expect(!pod("x").isNewer(than: pod("y")))
    }
}
