import CRI
import Commands
import TestNode

extension Check {
    static let mounts = [
        Check("mount propagation: private, from the node, both ways") { setup in
            for propagation in ContainerConfig.Propagation.allCases {
                let source = "/run/propagation"
                try await setup.node.shell(
                    "mkdir -p \(source) && mount -t tmpfs \(setup.runtime) \(source) && mount --make-shared \(source)")
                do {
                    try await setup.tryPropagation(propagation, source)
                } catch {
                    try await setup.node.shell("umount -R -l \(source)")
                    throw error
                }
                try await setup.node.shell("umount -R -l \(source)")
            }
        },
        Check("a mount can be read-only") { setup in
            try await setup.node.shell("mkdir -p /run/given; echo content > /run/given/file")
            try await setup.withContainer(adjust: {
                $0.mounts = [.init(hostPath: "/run/given", containerPath: "/given", readOnly: true)]
            }) { container in
                try expect("content", try await container.sh("cat /given/file"), "content")
                try expect("writing", try await container.exec("touch", "/given/made").exitCode != 0)
            }
        },
        Check("/dev/shm is the pod's") { setup in
            try await setup.withPod { pod in
                let one = try await pod.start("one", image: "busybox", command: ["sleep", "1000"])
                let two = try await pod.start("two", image: "busybox", command: ["sleep", "1000"])
                _ = try await one.sh("echo shared > /dev/shm/file")
                try expect("the neighbour reads", try await two.sh("cat /dev/shm/file"), "shared")
            }
        },
    ]
}

extension Case {
    fileprivate func tryPropagation(_ propagation: ContainerConfig.Propagation, _ source: String) async throws {
        func given(_ container: inout ContainerConfig) {
            container.privileged = true
            container.mounts = [.init(hostPath: source, containerPath: "/given")]
            container.mounts[0].propagation = propagation
        }
        func privileged(_ pod: inout PodConfig) { pod.privileged = true }
        try await withContainer(pod: privileged, adjust: given) { container in
            try await node.shell(
                "mkdir \(source)/outer \(source)/inner && mount -t tmpfs none \(source)/outer && touch \(source)/outer/file"
            )
            let passedIn = try await container.exec("test", "-e", "/given/outer/file").exitCode == 0
            try expect("passes in, \(propagation)", passedIn, propagation != .private)
            _ = try await container.sh("mount -t tmpfs none /given/inner && touch /given/inner/file")
            let passedOut = try await node.shell("test -e \(source)/inner/file", expecting: nil).status == 0
            try expect("passes out, \(propagation)", passedOut, propagation == .bothWays)
        }
    }
}
