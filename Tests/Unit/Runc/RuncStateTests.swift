import Glibc
import JSON
import Linux
import Testing

@testable import Runc

@Suite struct RuncStateTests {
    /// As runc 1.3 writes it, cut short; the limit is RLIM_INFINITY.
    static let runcState = #"""
        {"id":"c1","init_process_pid":4242,"init_process_start":262314,"created":"2026-11-23T23:31:17.961354763Z",\#
        "config":{"rlimits":[{"type":7,"hard":18446744073709551615,"soft":1024}],\#
        "namespaces":[{"type":"NEWPID","path":""},{"type":"NEWNET","path":"/run/netns/x"}],\#
        "cgroups":{"name":"c1","memory":0}},"rootless":false,\#
        "cgroup_paths":{"":"/sys/fs/cgroup/k8s/c1"},\#
        "namespace_paths":{"NEWNET":"/proc/4242/ns/net","NEWPID":"/proc/4242/ns/pid","NEWTIME":"/proc/4242/ns/time"},\#
        "external_descriptors":["pipe:[1]","pipe:[2]","/dev/null"]}
        """#

    static let crunState = #"""
        {"pid":4242,"process-start-time":262314,"cgroup-path":"/c1","scope":"","rootfs":"/b/rootfs",\#
        "systemd-cgroup":false,"bundle":"/b","created":"2026-11-23T23:31:17.961354Z","detached":false,\#
        "external_descriptors":"[\"pipe:[1]\",\"pipe:[2]\",\"/dev/null\"]"}
        """#

    /// A state directory with one container, c1.
    private func root(_ file: String, _ content: String) throws -> String {
        var template = Array("/tmp/zeropod-state-XXXXXX".utf8CString)
        let root = String(cString: try #require(mkdtemp(&template)))
        try Files.makeDirectories("\(root)/c1")
        try Files.write(content, to: "\(root)/c1/\(file)")
        return root
    }

    @Test func runcsStateIsRead() throws {
        let root = try root("state.json", Self.runcState)
        defer { try? Files.removeTree(root) }
        let state = try RuncState(root: root, container: "c1")
        #expect(state.layout == .runc)
        #expect(state.initPid == 4242)
        #expect(state.initStartTime == 262314)
        #expect(state.cgroup == Cgroup(directories: ["": "/sys/fs/cgroup/k8s/c1"]))
        #expect(state.document["namespace_paths"]?["NEWNET"]?.string == "/proc/4242/ns/net")
    }

    @Test func adoptingChangesWhatItMustAndNothingElse() throws {
        let root = try root("state.json", Self.runcState)
        defer { try? Files.removeTree(root) }
        var state = try RuncState(root: root, container: "c1")
        state.adopt(77, startTime: 999_999, inOwnTimeNamespace: true)
        let expected = Self.runcState
            .split(separator: "/proc/4242/", omittingEmptySubsequences: false).joined(separator: "/proc/77/")
            .split(separator: #""init_process_pid":4242"#).joined(separator: #""init_process_pid":77"#)
            .split(separator: "262314").joined(separator: "999999")
            .split(separator: #""path":"/run/netns/x"}"#)
            .joined(separator: #""path":"/run/netns/x"},{"type":"NEWTIME","path":""}"#)
        #expect(state.document.text == expected)

        let once = state.document
        state.adopt(77, startTime: 999_999, inOwnTimeNamespace: true)
        #expect(state.document == once)
    }

    @Test func thereIsNoTimeNamespaceToJoinUnlessThereIsOne() throws {
        let root = try root("state.json", Self.runcState)
        defer { try? Files.removeTree(root) }
        var state = try RuncState(root: root, container: "c1")
        let before = state.document["config"]
        state.adopt(77, startTime: 1, inOwnTimeNamespace: false)
        #expect(state.document["config"] == before)
    }

    @Test func crunsStateIsReadAndRewritten() throws {
        let root = try root("status", Self.crunState)
        defer { try? Files.removeTree(root) }
        var state = try RuncState(root: root, container: "c1")
        #expect(state.layout == .crun)
        #expect(state.initPid == 4242)
        state.adopt(77, startTime: 5, inOwnTimeNamespace: true)
        let expected = Self.crunState
            .split(separator: "4242").joined(separator: "77").split(separator: "262314").joined(separator: "5")
        #expect(state.document.text == expected)
    }

    @Test func adoptionIsWrittenAndTheMarkOfTheCheckpointGoes() throws {
        let root = try root("state.json", Self.runcState)
        defer { try? Files.removeTree(root) }
        try Files.write("", to: "\(root)/c1/checkpoint")
        try RuncState.adopt(getpid(), root: root, container: "c1")
        let state = try RuncState(root: root, container: "c1")
        #expect(state.initPid == getpid())
        #expect(state.initStartTime == (try Process.startTime(of: getpid())))
        #expect(try Files.names(in: "\(root)/c1") == ["state.json"])
    }

    @Test func aProcessThatIsGoneIsNotAdopted() throws {
        let root = try root("state.json", Self.runcState)
        defer { try? Files.removeTree(root) }
        // Above the largest pid there can be.
        #expect(throws: SystemError.self) { try RuncState.adopt(1 << 23, root: root, container: "c1") }
        #expect(try Files.readText("\(root)/c1/state.json") == Self.runcState)
    }

    @Test func whatCannotBeReadIsAnErrorThatNamesTheFile() throws {
        let root = try root("state.json", "{\"id\":")
        defer { try? Files.removeTree(root) }
        #expect(throws: SystemError("parse", "\(root)/c1/state.json", code: EBADMSG)) {
            try RuncState(root: root, container: "c1")
        }
        #expect(throws: SystemError("open", "\(root)/c2/state.json", code: ENOENT)) {
            try RuncState(root: root, container: "c2")
        }
    }
}
