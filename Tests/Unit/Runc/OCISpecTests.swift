import JSON
import Linux
import Testing

@testable import Runc

@Suite struct OCISpecTests {
    @Test func whatTheShimNeedsIsRead() throws {
        let spec = OCISpec(
            try JSON(
                parsing: #"""
                    {"ociVersion":"1.1.0",
                     "process":{"terminal":true,"args":["nginx","-g","daemon off;"],"rlimits":[{"hard":18446744073709551615}]},
                     "root":{"path":"rootfs","readonly":true},
                     "hostname":"web",
                     "mounts":[{"destination":"/data","type":"bind","source":"/var/lib/x","options":["rbind","ro"]}],
                     "annotations":{"io.kubernetes.cri.container-type":"container",
                      "io.kubernetes.cri.sandbox-id":"s1","io.kubernetes.cri.container-name":"nginx",
                      "io.kubernetes.cri.sandbox-name":"web-0","io.kubernetes.cri.sandbox-namespace":"default",
                      "io.kubernetes.cri.sandbox-uid":"u1","zeropod.ctrox.dev/ports-map":"nginx=80"},
                     "linux":{"cgroupsPath":"/kubepods/x/c1",
                      "namespaces":[{"type":"pid"},{"type":"network","path":"/proc/7/ns/net"}],
                      "maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"]}}
                    """#))
        #expect(spec.terminal)
        #expect(spec.namespace("network") == OCISpec.Namespace(type: "network", path: "/proc/7/ns/net"))
        #expect(spec.namespace("pid")?.path == "")
        #expect(spec.namespace("user") == nil)
        #expect(spec.annotations["zeropod.ctrox.dev/ports-map"] == "nginx=80")
        #expect(spec.containerType == .container)
        #expect(spec.sandboxID == "s1")
        #expect(spec.containerName == "nginx")
        #expect(spec.podName == "web-0")
        #expect(spec.podNamespace == "default")
        #expect(spec.podUID == "u1")
    }

    @Test func aSpecWithNearlyNothingIsNoError() throws {
        let spec = OCISpec([:])
        #expect(!spec.terminal)
        #expect(spec.containerType == nil)
        #expect(spec.annotations.isEmpty)
    }

    @Test func aMissingBundleIsNamed() {
        #expect(throws: SystemError.self) { try OCISpec(bundle: "/no/such/bundle") }
    }
}
