import Commands
import Foundation
import TestCluster
import Testing

/// What the daemon's ServiceAccount may change, judged by the admission plugin of a kube-apiserver, in a program of its own
/// (Tests/Kubernetes/Admission).
@Suite(.enabled(if: Admission.program != nil, "needs Tests/Kubernetes/Admission/build, a part of 'make test-long'"))
struct AdmissionTests {
    private func judge(_ manifests: String, expecting status: Int32) async throws -> Output {
        try await Command.run(
            [try #require(Admission.program)], input: Data(manifests.utf8), deadline: .seconds(300), expecting: status)
    }

    private func manifests() async throws -> String {
        let directory = Kubernetes.configuration.appending(path: "hardened").path()
        return try await Command.run(["\(Kubernetes.tools())/kustomize", "build", directory]).text
    }

    /// Each request gets the verdict that it should, and each part of the policy is needed for one of them.
    @Test func policyAllowsTheDaemonsRequestsAlone() async throws {
        let output = try await judge(manifests(), expecting: 0)
        #expect(output.lines.last?.hasSuffix(" verdicts, 0 wrong") == true, "\(output.text)")
        #expect(output.lines.count { $0.hasPrefix("ok ") } > 50)
    }

    /// The program finds it out when the policy lets more pass, or less.
    @Test(arguments: [
        (#"key.startsWith("status.zeropod.ctrox.dev/")"#, #"key.contains("zeropod.ctrox.dev/")"#),
        ("system:serviceaccount:zeropod-system:zeropod-node\"", "system:serviceaccount:zeropod-system:other\""),
        ("- pods/resize\n", "- pods/log\n"), ("- UPDATE\n", "- DELETE\n"), ("- Deny\n", "- Audit\n"),
        ("object.spec == oldObject.spec", "object.spec.containers == oldObject.spec.containers"),
        ("== variables.node", "!= variables.node"),
    ]) func anotherPolicyIsFoundOut(_ part: String, _ other: String) async throws {
        let manifests = try await manifests()
        try #require(manifests.contains(part), "\(part)")
        let output = try await judge(manifests.replacingOccurrences(of: part, with: other), expecting: 1)
        #expect(output.lines.contains { $0.hasPrefix("WRONG ") }, "\(output.text)")
    }
}

enum Admission {
    /// nil where it has not been built.
    static let program = Command.answer(
        of: Kubernetes.configuration.appending(path: "../Tests/Kubernetes/Admission/build"), "--where")
}
