import Testing

@testable import Node

@Suite struct ContainerdConfigurationTests {
    private let runtime = RuntimeTable(version: 3, shim: "/opt/zeropod/bin/shim", options: ["SystemdCgroup = true"])

    @Test(arguments: [
        ("", 1), ("version = 2\n", 2), ("# version = 2\nversion=3 # three\n", 3), ("[debug]\nversion = 9\n", 1),
        ("root = \"/x\"\n  version = 2\n[grpc]\n", 2),
    ]) func versionIsRead(_ text: String, _ version: Int) {
        #expect(ContainerdConfiguration(text).version == version)
    }

    @Test(arguments: [
        "", "version = 3\n", "version = 3", "version = 3\n\n", "# mine\nversion = 3\n[debug]\n  level = \"info\"\n",
    ])
    func whatIsAddedCanBeTakenOut(_ text: String) {
        let added = ContainerdConfiguration(text).adding(runtime)
        #expect(added.hasBlock)
        #expect(added.text.contains("[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.zeropod]"))
        #expect(added.text.contains("runtimes.zeropod.options]\nSystemdCgroup = true\n"))
        #expect(added.adding(runtime) == added, "a second time changes nothing")
        let back = added.withoutRuntime.text
        // A missing end of the last line is the one thing that is not given back.
        #expect(back == (text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"))
    }

    /// The type is what containerd asks for features by, and the path makes it this shim.
    @Test func theTypeIsThatOfTheStockShim() {
        let text = ContainerdConfiguration("").adding(runtime).text
        #expect(text.contains("runtime_type = \"io.containerd.runc.v2\"\nruntime_path = \"/opt/zeropod/bin/shim\"\n"))
    }

    @Test(arguments: [
        ("io.containerd.runc.v2", "/opt/zeropod/bin/shim", "/opt/zeropod/bin/shim"),
        ("io.containerd.runc.v2", "", nil), ("io.containerd.zeropod.v2", "/opt/shim", "/opt/shim"),
        ("io.containerd.zeropod.v2", "", ""), ("io.containerd.runsc.v1", "/opt/shim", nil),
    ]) func registrationIsFound(_ type: String, _ path: String, _ shim: String?) {
        let dump = ContainerdDump(
            """
            [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.zeropod]
              runtime_type = '\(type)'
              runtime_path = '\(path)'
            """)
        #expect(dump.shim == shim)
    }

    @Test func linesAfterTheBlockStay() {
        let added = ContainerdConfiguration("version = 2\n").adding(runtime).text + "[debug]\nlevel = \"debug\"\n"
        #expect(ContainerdConfiguration(added).withoutRuntime.text == "version = 2\n[debug]\nlevel = \"debug\"\n")
    }

    @Test(arguments: [
        ("version = 2\nimports = [\"/a/*.toml\"]\nroot = \"/x\"\n", "version = 2\nroot = \"/x\"\n"),
        ("imports=[\n  \"/a\",\n  \"/b\",\n]\n[debug]\nimports = [1]\n", "[debug]\nimports = [1]\n"),
        ("version = 2\n", "version = 2\n"),
    ]) func importsCanBeExchanged(_ text: String, _ rest: String) {
        #expect(ContainerdConfiguration(text).importing(["/c", "/d"]).text == "imports = [\"/c\", \"/d\"]\n" + rest)
    }

    @Test func somebodyElsesRuntimeIsSeen() {
        let foreign = ContainerdConfiguration("[plugins.\"x\".containerd.runtimes.zeropod]\nruntime_type = \"y\"\n")
        #expect(foreign.hasForeignRuntime)
        #expect(!ContainerdConfiguration("version = 2\n").adding(runtime).hasForeignRuntime)
    }

    @Test func dumpsAreReadAndCompared() {
        let before = ContainerdDump(
            """
            version = 3
            imports = ['/a']
            [plugins]
              [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
                BinaryName = ''
                Root = '/run/runc'
                SystemdCgroup = true
            """)
        #expect(before.shim == nil)
        #expect(before.runcOptions == ["Root = '/run/runc'", "SystemdCgroup = true"])
        let after = ContainerdDump(
            """
            time="2026-11-26T22:41:32Z" level=warning msg="containerd config version `1` has been deprecated"
            version = 3
            imports = ['/b']
            [plugins]
              [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.zeropod]
                runtime_type = 'io.containerd.runc.v2'
                runtime_path = '/opt/zeropod/bin/shim'
            """)
        #expect(after.shim == "/opt/zeropod/bin/shim")
        let lost = "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]"
        #expect(after.differences(from: before) == [lost])
        #expect(before.runtimes(lostIn: after, for: "'io.containerd.cri.v1.runtime'").first == lost)
        let asVersion1 = before.runtimes(lostIn: after, for: "cri")
        #expect(asVersion1.first == "[plugins.cri.containerd.runtimes.runc.options]")
    }
}
