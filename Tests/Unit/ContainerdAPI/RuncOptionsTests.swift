import ContainerdAPI
import Testing

@Suite struct RuncOptionsTests {
    /// As containerd 1.7 writes it (go-toml 1) and as 2.x does (go-toml 2).
    @Test(arguments: [
        """
        BinaryName = "/usr/bin/runc"
        CriuWorkPath = "a \\"quoted\\\\path"
        IoGid = 20
        IoUid = 1_000
        Other = [1, 2]
        SystemdCgroup = true
        """,
        """
        BinaryName = '/usr/bin/runc'
        CriuWorkPath = 'a "quoted\\path'
        IoGid = 20
        IoUid = 1000
        SystemdCgroup = true

        [Table]
        SystemdCgroup = false
        """,
        """
        # written by hand
          binaryname="/usr/bin/runc" # a comment
        "CriuWorkPath" = 'a "quoted\\path'   # another: '
        IoGid=20# and one more
        IoUid = 1000
        SystemdCgroup = true    # "
        """,
    ])
    func areReadFromContainerdsTOML(_ text: String) throws {
        let expected = RuncOptions {
            $0.binaryName = "/usr/bin/runc"
            $0.criuWorkPath = "a \"quoted\\path"
            $0.ioGid = 20
            $0.ioUid = 1000
            $0.systemdCgroup = true
        }
        #expect(try RuncOptions(toml: text) == expected)
    }

    @Test func everyKeyHasItsOption() throws {
        let text = """
            NoPivotRoot = true
            NoNewKeyring = true
            ShimCgroup = '1'
            Root = '2'
            CriuImagePath = '3'
            """
        let expected = RuncOptions {
            $0.noPivotRoot = true
            $0.noNewKeyring = true
            $0.shimCgroup = "1"
            $0.root = "2"
            $0.criuImagePath = "3"
        }
        #expect(try RuncOptions(toml: text) == expected)
        #expect(try RuncOptions(toml: "") == RuncOptions())
    }

    @Test(arguments: [
        "SystemdCgroup = yes", "SystemdCgroup =", "IoUid = -1", "IoUid = 4294967296", "IoUid = \"1\"", "Root = /run",
        "Root = \"/run", "Root = '/run' x", "Root = \"\\q\"", "Root = \"\\",
    ])
    func aValueThatDoesNotParseIsAnErrorThatNamesIt(_ line: String) {
        let error = #expect(throws: OptionsError.self) { try RuncOptions(toml: line) }
        let key = line.prefix { $0 != " " }
        #expect(error?.description.hasPrefix("\(key) = ") == true)
    }

    @Test func aLineThatIsNoSettingIsAnError() {
        #expect(throws: OptionsError.self) { try RuncOptions(toml: "SystemdCgroup") }
    }
}
