import Linux
import Testing

@testable import Shim

@Suite struct CRIUTests {
    @Test func theVersionIsRead() throws {
        let version = try #require(CRIU.parse("Version: 4.2.1\nGitID: 0\n"))
        #expect(version == (4, 2))
        #expect(CRIU.parse("bash: criu: cannot execute") == nil)
    }

    @Test func aCriuThatIsTooOldForTheKernelIsTold() throws {
        let complaint = try #require(CRIU.complaint("/usr/sbin/criu", (3, 17), kernel: KernelVersion(6, 18)))
        #expect(complaint == "/usr/sbin/criu is version 3.17, and Linux 6.18 needs criu 4.1 or later")
        #expect(CRIU.complaint("/usr/sbin/criu", (3, 17), kernel: KernelVersion(6, 1)) == nil)
        #expect(CRIU.complaint("/usr/sbin/criu", (4, 1), kernel: KernelVersion(6, 18)) == nil)
    }

    /// Those of the line are the criu's own; an earlier one that came with zeropod lacks some.
    @Test func whatItKeepsIsRead() {
        let answer = "Version: 4.2.1\nKeeps: descriptors\nKeeps: user namespaces\n"
        #expect(CRIU.keeps("descriptors", answer) && CRIU.keeps("user namespaces", answer))
        #expect(!CRIU.keeps("user namespaces", "Version: 4.2.1\nKeeps: descriptors\n"))
        #expect(!CRIU.keeps("descriptors", "Version: 4.2.1\n"))
    }

    @Test func whatARestoreWouldLoseIsTold() {
        #expect(CRIU.loss(kernel: KernelVersion(6, 1), hasSELinux: false) == nil)
        #expect(CRIU.loss(kernel: KernelVersion(5, 13), hasSELinux: false) == nil)
        #expect(CRIU.loss(kernel: KernelVersion(5, 10), hasSELinux: false)?.contains("5.13 or later can") == true)
        #expect(CRIU.loss(kernel: KernelVersion(6, 1), hasSELinux: true)?.contains("SELinux labels") == true)
    }
}
