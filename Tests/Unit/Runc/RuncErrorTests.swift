import Linux
import Testing

@testable import Runc

@Suite struct RuncErrorTests {
    /// Messages of runc 1.1 to 1.3 and crun 1.8 to 1.28.
    @Test(arguments: [
        ("container does not exist", RuncError.Kind.containerNotFound),
        ("container `a-1` does not exist", .containerNotFound),
        ("container with given ID already exists", .containerExists),
        ("container `a` already exists", .containerExists),
        ("os: process already finished", .processFinished),
        ("kill container: No such process", .processFinished),
        ("container not running", .notRunning),
        ("the container `paused container` is not running", .notRunning),
        ("cannot exec in a stopped container", .notRunning),
        ("cannot start a container that has stopped", .notRunning),
        ("container not paused", .notPaused),
        ("cannot exec in a paused container (use --ignore-paused to override)", .paused),
        ("cannot delete container x that is not stopped: running", .stillRunning),
        ("runc create failed: rootfs (/x) does not exist", .other),
        ("the rootfs path `/container does not exist` does not exist", .other),
        ("exec failed: unable to start container process: exec: \"x\": executable file not found in $PATH", .other),
        ("error opening file `/run/crun/a/status`: No such file or directory", .containerNotFound),
        ("the container `a` is not in `created` or `stopped` state", .stillRunning),
        ("the container `a` is paused", .paused),
        ("", .other),
    ])
    func messagesAreUnderstood(_ message: String, _ kind: RuncError.Kind) {
        #expect(RuncError.kind(of: message, "kill") == kind)
    }

    @Test func whatIsMissingWhenAContainerIsMadeIsNotTheContainer() {
        #expect(RuncError.kind(of: "cannot open directory `/rootfs`: No such file or directory", "create") == .other)
        #expect(RuncError.kind(of: "cannot open directory `/s/a`: No such file", "delete") == .containerNotFound)
    }

    @Test func itIsWordedAsTheStockShimDoes() {
        let error = RuncError("create", "c", message: "container with given ID already exists", status: .exited(1))
        #expect("\(error)" == "OCI runtime create failed: container with given ID already exists")
        #expect(error.container == "c")
    }
}
