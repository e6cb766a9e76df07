import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// An annotation that cannot be understood is an error with its name and value, and nothing is left of the pod.
    @Suite struct AnnotationMistakesTests {
        static let mistakes = [
            ("scaledown-duration", "soon"),
            ("scaledown-duration", "-5s"),
            ("ports-map", "web=70000"),
            ("ports-map", "web"),
            ("ports-map", "stranger=80"),
            ("disable-checkpointing", "perhaps"),
            ("connect-timeout", "5"),
            ("container-names", ","),
            ("ignore-peers", "10.0.0.7/8"),
        ]

        @Test(arguments: mistakes) func mistakeIsNamed(_ annotation: String, _ value: String) async throws {
            try await expectRefusal(of: annotation, value, by: try await node(.current))
        }

        @Test(arguments: mistakes.prefix(1)) func mistakeIsNamedByContainerd17(
            _ annotation: String, _ value: String
        ) async throws {
            try await expectRefusal(of: annotation, value, by: try await node(.previous))
        }

        private func expectRefusal(of annotation: String, _ value: String, by node: TestNode) async throws {
            let annotations = ["container-names": "web"].merging([annotation: value]) { $1 }
            let error = await #expect(throws: CallFailed.self) {
                let pod = try await node.runPod("mistaken", runtime: .zeropod, annotations: sleepy(annotations))
                // Only when there is no error.
                try await pod.delete()
            }
            let message = error?.message ?? ""
            #expect(message.contains("zeropod.ctrox.dev/\(annotation)"), "\(message)")
            #expect(message.contains("\"\(value)\""), "\(message)")
            // containerd keeps what it could not start until it is told to remove it.
            for sandbox in try await node.cri.listPodSandboxes() {
                try await node.cri.stopPodSandbox(sandbox)
                try await node.cri.removePodSandbox(sandbox)
            }
            let left = try await node.lastingLeftovers()
            #expect(left == [])
        }
    }
}
