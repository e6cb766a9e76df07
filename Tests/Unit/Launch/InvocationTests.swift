import Testing

@testable import Launch

@Suite struct InvocationTests {
    @Test func containerdsWayOfStartingAShim() throws {
        let invocation = try Invocation([
            "-namespace", "k8s.io", "-address", "/run/containerd/containerd.sock", "-publish-binary",
            "/usr/bin/containerd", "-id", "abc", "-debug", "start",
        ])
        #expect(invocation.action == .start)
        #expect(invocation.namespace == "k8s.io")
        #expect(invocation.id == "abc")
        #expect(invocation.address == "/run/containerd/containerd.sock")
        #expect(invocation.debug)
    }

    @Test func withoutAnActionItServes() throws {
        #expect(try Invocation(["-namespace", "n", "-id", "abc"]).action == .serve)
    }

    @Test func flagsAreWrittenAsGoAllows() throws {
        let invocation = try Invocation(["--namespace=default", "-debug=false", "--bundle", "/b", "delete"])
        #expect(invocation.action == .delete)
        #expect(invocation.namespace == "default")
        #expect(invocation.bundle == "/b")
        #expect(!invocation.debug)
    }

    @Test(arguments: [["-nonsense"], ["explode"], ["-id"]])
    func whatIsNotUnderstoodIsNamed(arguments: [String]) {
        #expect {
            try Invocation(arguments)
        } throws: {
            "\($0)".contains(arguments[0])
        }
    }

    @Test func aGroupHasOneAddressAndContainerdsDoNotShareIt() {
        let address = ShimAddress(containerd: "/run/a.sock", namespace: "k8s.io", group: "pod")
        #expect(address == ShimAddress(containerd: "/run/a.sock", namespace: "k8s.io", group: "pod"))
        #expect(address != ShimAddress(containerd: "/run/b.sock", namespace: "k8s.io", group: "pod"))
        #expect(address != ShimAddress(containerd: "/run/a.sock", namespace: "other", group: "pod"))
        // sun_path has room for 107 bytes and the NUL.
        #expect(address.path.utf8.count <= 106)
        // sha256sum of "/run/a.sock/k8s.io/pod".
        #expect(address.path.hasSuffix("80516dbdfb82a82b408102efaf4d2e7ff1a1f9ecce0145413158c754c89eadb8"))
    }
}
