import Glibc
import Linux

/// Checks on a kernel that has what the machines of the project's tests do not: kprobes, and control groups whose version
/// 2 counts memory; and lacks what they have: tcx. Runs in the virtual machine that Tests/VirtualMachine/run.sh boots.
@main enum Main {
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        print("kernel \(KernelVersion.running)")
        let checks = Checks()
        checks.run("tracker", TrackerChecks.run)
        checks.run("redirect", RedirectChecks.run)
        checks.run("memory", MemoryChecks.run)
        print("\(checks.passed) passed, \(checks.failed) failed")
        exit(checks.failed == 0 ? 0 : 1)
    }
}

/// Counts what held and what did not.
final class Checks {
    private(set) var passed = 0
    private(set) var failed = 0

    func expect(_ what: String, _ holds: Bool, _ detail: @autoclosure () -> String = "") {
        if holds {
            passed += 1
            print("  passed: \(what)")
        } else {
            failed += 1
            print("  FAILED: \(what) \(detail())")
        }
    }

    func run(_ name: String, _ body: (Checks) throws -> Void) {
        print(name)
        do { try body(self) } catch { expect("\(name) runs to its end", false, "\(error)") }
    }
}
