import Commands
import Foundation

extension TestNode {
    /// What a person needs to see of the node after a failure, the most telling first. Shims log into containerd's log,
    /// of which what was written behind the first `since` bytes is shown, and of long lines the beginning: containerd
    /// prints whole specifications.
    package func diagnosis(since: Int = 0) async -> String {
        var report = "=== \(name): \(containerd)\n"
        let log = "tail -c +\(since + 1) /var/log/containerd.log | sed 's/^time=\"[0-9-]*T//'"
        let logs = [
            ("what the shims logged", "\(log) | grep -aE ' (container|pod)=\"' | cut -c -240 | tail -n 40"),
            ("containerd's log, and in it the shims'", "\(log) | cut -c -400 | tail -n 100"),
        ]
        for (title, script) in logs + Self.questions {
            let answer = try? await Command.run(
                command(["bash", "-c", script]), deadline: .seconds(60), expecting: nil)
            report += "--- \(title)\n\(answer?.text ?? "no answer\n")"
        }
        return report
    }

    var logLength: Int {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: state.appending(path: "log/containerd.log").path())
        return attributes?[.size] as? Int ?? 0
    }

    private static let questions = [
        ("processes", "ps -eo pid,ppid,stat,rss,args --forest"),
        (
            "CRIU's logs",
            """
            find /var/lib/zeropod /run/containerd -name '*.log' -size +0 2>/dev/null | while read -r log; do
                echo "$log:"; tail -n 25 "$log"; done
            """
        ),
        (
            "BPF maps",
            """
            find /sys/fs/bpf/zeropod -type f 2>/dev/null | while read -r pin; do
                echo "$pin:"; bpftool map dump pinned "$pin" 2>/dev/null | head -n 40; done
            """
        ),
        (
            "pods' logs",
            "find /var/log/pods -name '*.log' | while read -r log; do echo \"$log:\"; tail -n 15 \"$log\"; done"
        ),
    ]
}
