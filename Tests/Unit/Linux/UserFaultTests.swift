import Glibc
import Testing

@testable import Linux

@Suite struct UserFaultTests {
    /// Flags that no kernel has: EPERM would be a lie, and `zeropod check` shows it to people.
    @Test func theErrorIsTheKernels() {
        do throws(SystemError) {
            _ = try UserFault.open(flags: ~0)
            Issue.record("the kernel has taken flags that it cannot know")
        } catch {
            #expect([EINVAL, ENOSYS].contains(error.code), "\(error)")
        }
    }
}
