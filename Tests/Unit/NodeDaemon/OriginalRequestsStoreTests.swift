import Glibc
import Linux
import Testing

@testable import NodeDaemon

/// What pods requested, kept on the node.
@Suite struct OriginalRequestsStoreTests {
    private func withStore(_ body: (_ directory: String, _ store: () throws -> OriginalRequestsStore) throws -> Void)
        throws
    {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-requests-")
        defer { try? Files.removeTree(directory) }
        try body(directory) {
            OriginalRequestsStore("\(directory)/state", log: Log(to: try .open("/dev/null", O_WRONLY)))
        }
    }

    private var requests: OriginalRequests {
        var requests = OriginalRequests()
        requests["cpu", "web"] = .init(original: "250m", asleep: "1m")
        requests["memory", "web"] = .init(original: "64Mi", asleep: "1Ki")
        return requests
    }

    @Test func theyOutlastTheDaemon() throws {
        try withStore { directory, store in
            #expect(try store()["uid-1"].isEmpty)
            try store().keep(requests, of: "uid-1")
            #expect(try store()["uid-1"] == requests)
            #expect(try store()["uid-2"].isEmpty)
            try store().keep(OriginalRequests(), of: "uid-1")
            #expect(try Files.names(in: "\(directory)/state") == [])
        }
    }

    @Test func thoseOfPodsThatAreGoneAreRemoved() throws {
        try withStore { directory, store in
            let one = try store()
            for uid in ["a", "b"] { try one.keep(requests, of: uid) }
            one.retain(["b"])
            #expect(try Files.names(in: "\(directory)/state") == ["b"])
            #expect(one["a"].isEmpty && one["b"] == requests)
        }
    }

    /// A uid is a text of the API server's.
    @Test(arguments: ["", "../victim", "a/b", ".", "..", "x\0y", String(repeating: "a", count: 65)])
    func noOtherFileIsNamed(_ uid: String) throws {
        try withStore { directory, store in
            try Files.create("\(directory)/victim", with: #"{"cpu":{"web":{"original":"9","asleep":"1m"}}}"#)
            #expect(try store()[uid].isEmpty)
            #expect(throws: SystemError.self) { try store().keep(requests, of: uid) }
            #expect(try Files.names(in: directory) == ["victim"])
        }
    }

    @Test(arguments: ["", "{", "[]", #"{"cpu":{"web":"250m"}}"#, #"{"cpu":{"web":{"original":1,"asleep":"1m"}}}"#])
    func aFileThatCannotBeUnderstoodRaisesNothing(_ text: String) throws {
        try withStore { directory, store in
            try Files.makeDirectories("\(directory)/state")
            try Files.create("\(directory)/state/a", with: text)
            #expect(try store()["a"].isEmpty)
        }
    }
}
