import Commands
import TestCluster

extension Cluster {
    /// Every file of the node that is not Kubernetes' own, with what is in it.
    func fingerprint() async throws -> [Substring] {
        try await node.shell(
            """
            cd /
            find etc opt usr var/lib -xdev \\( -path etc/kubernetes -o -path var/lib/kubelet -o -path var/lib/cni \\
                -o -path var/lib/etcd -o -path opt/cni -o -path usr/libexec/kubernetes \\) -prune -o -printf '%y %m %u %g %p %l\\n' | sort
            find run/zeropod sys/fs/bpf 2>/dev/null
            find etc -xdev -path etc/kubernetes -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
            """
        ).lines
    }
}
