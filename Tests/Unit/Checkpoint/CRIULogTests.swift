import Testing

@testable import Checkpoint

/// Lines as CRIU 4.2 writes them.
@Suite struct CRIULogTests {
    private let ring = "(00.011) Error (criu/proc_parse.c:91): Unknown shit 600 (anon_inode:[io_uring])"
    private let after = (0..<30).map { "(00.02\($0)) \tUnseizing \($0) into 1" }

    @Test func theFirstErrorIsNotCutOff() {
        let log = ["(00.001) Version: 4.2", ring, "(00.012) Error (criu/cr-dump.c:1): Collect mappings failed with -1"]
        let end = CRIULog.end(of: (log + after).joined(separator: "\n"), lines: 12).split(separator: "\n")
        #expect(end.count == 13)
        #expect(end[0] == ring)
        #expect(end[12] == after[29])
        // Among the last lines it is not said twice.
        #expect(CRIULog.end(of: log.joined(separator: "\n"), lines: 12).split(separator: "\n").count == 3)
        #expect(CRIULog.end(of: "", lines: 12) == "")
    }

    @Test(arguments: [
        ("Error (criu/proc_parse.c:91): Unknown shit 600 (anon_inode:[io_uring])", "it has an io_uring"),
        (
            "Error (criu/files-ext.c:98): Can't dump file 7 of that type [20660] (chr 0:1 /dev/tty9)",
            "it has a file open of a kind that CRIU does not know"
        ),
        (
            "Error (criu/proc_parse.c:4): handle_device_vma plugin failed: No such file",
            "it has memory of a device mapped"
        ),
        ("Error (criu/kept.c:9): kept: A mapping of 7 is sealed", "A mapping of 7 is sealed"),
        ("Error (criu/files-reg.c:9): Can't look up mount=24 for path=/srv/secret", "Can't look up mount=24 for …"),
    ]) func theCauseIsInWords(_ line: String, _ words: String) {
        let log = "(00.010) \(line)\n(00.012) Error (criu/cr-dump.c:1): Dumping FAILED."
        #expect(CRIULog.cause(in: log) == words)
        let error = CheckpointError.criu(verb: "dump", code: -1, log: log)
        #expect(error.description.hasPrefix("criu dump failed: \(words); its log ends:\n"))
    }

    /// Without CAP_SYS_RESOURCE CRIU begins with an error after which it goes on.
    @Test func whatIsHarmlessIsNoCause() {
        let harmless =
            "(00.000) Error (criu/rlimit.c:20): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted"
        #expect(CRIULog.cause(in: "\(harmless)\n\(ring)") == "it has an io_uring")
        #expect(CRIULog.cause(in: harmless) == nil)
    }

    /// What the changes to CRIU say is the cause of the errors before it as well.
    @Test func ourOwnWordsComeFirst() {
        let log = "Error (a.c:1): first\nError (criu/kept.c:2): kept: A thread of 9 has a keyring of its own"
        #expect(CRIULog.cause(in: log) == "A thread of 9 has a keyring of its own")
        #expect(CRIULog.cause(in: "(00.1) all is well") == nil)
    }
}
