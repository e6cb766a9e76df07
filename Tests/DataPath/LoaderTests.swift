import DataPath
import Linux
import Testing

@Suite struct LoaderTests {
    @Test func attachIsIdempotentAndDetachLeavesNothing() throws {
        try inScratch {
            let pod = try TestPod(1)
            let report = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            print(report)
            print(try sh("find /sys/fs/bpf; bpftool link; bpftool net"))
            try Redirector.detach(pod: "one", networkNamespace: pod.network)
            print(try sh("find /sys/fs/bpf; bpftool link"))
        }
    }
}
