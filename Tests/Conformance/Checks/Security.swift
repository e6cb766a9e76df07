import CRI
import Commands
import Foundation
import TestNode

extension Check {
    static let security = [
        Check("capabilities are dropped and added") { setup in
            try await setup.withContainer(adjust: {
                $0.security.droppedCapabilities = ["ALL"]
                $0.security.addedCapabilities = ["NET_ADMIN"]
            }) { container in
                try expect("bounding set", try await container.line("CapBnd"), "0000000000001000")
            }
        },
        Check("user, group and supplementary groups are those asked for") { setup in
            try await setup.withContainer(adjust: {
                $0.security.user = 1234
                $0.security.group = 2345
                $0.security.supplementalGroups = [3456]
            }) { container in
                try expect("user", try await container.sh("id -u"), "1234")
                try expect("group", try await container.sh("id -g"), "2345")
                try expect("groups", Set(try await container.sh("id -G").split(separator: " ")), ["2345", "3456"])
            }
        },
        Check("new privileges are refused if asked") { setup in
            for refused in [true, false] {
                try await setup.withContainer(adjust: { $0.security.noNewPrivileges = refused }) { container in
                    try expect("flag", try await container.line("NoNewPrivs"), refused ? "1" : "0")
                }
            }
        },
        Check("a privileged container has every capability and sees the devices") { setup in
            try await setup.withContainer(pod: { $0.privileged = true }, adjust: { $0.privileged = true }) {
                container in
                let own = try await setup.node.shell("awk '/CapBnd/ { print $2 }' /proc/1/status").trimmed
                try expect("bounding set", try await container.line("CapBnd"), own)
                _ = try await container.sh("test -c /dev/kmsg && mount -t tmpfs none /mnt 2>&1 || test -c /dev/fuse")
            }
        },
        Check("seccomp: the runtime's default, a profile of one's own, none") { setup in
            let profile = """
                {"defaultAction": "SCMP_ACT_ALLOW",
                 "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
                """
            try await setup.node.run("tee", "/run/no-mkdir.json", input: Data(profile.utf8))
            let profiles: [(SecurityProfile, mode: String, mkdir: Int)] = [
                (.runtimeDefault, "2", 0), (.localhost("/run/no-mkdir.json"), "2", 1), (.unconfined, "0", 0),
            ]
            for (profile, mode, status) in profiles {
                try await setup.withContainer(adjust: { $0.security.seccomp = profile }) { container in
                    try expect("mode of \(profile)", try await container.line("Seccomp"), mode)
                    try expect("mkdir", try await container.exec("mkdir", "/tmp/made").exitCode, status)
                }
            }
        },
        Check("AppArmor: a profile is taken on") { setup in
            let enabled = "cat /sys/module/apparmor/parameters/enabled"
            guard try await setup.node.shell(enabled, expecting: nil).trimmed == "Y" else {
                throw NotHere(description: "this kernel has no AppArmor")
            }
            try await setup.withContainer(adjust: { $0.security.appArmor = .runtimeDefault }) { container in
                try expect(
                    "profile", try await container.sh("cat /proc/self/attr/current").hasPrefix("cri-containerd"))
            }
        },
        Check("a read-only root cannot be written, masked and read-only paths neither") { setup in
            try await setup.withContainer(adjust: { $0.security.readOnlyRoot = true }) { container in
                try expect("writing the root", try await container.exec("touch", "/made").exitCode != 0)
                let sysctl = "echo 1 > /proc/sys/net/ipv4/ip_forward"
                try expect("writing /proc/sys", try await container.exec("sh", "-c", sysctl).exitCode != 0)
                try expect("/proc/keys", try await container.sh("cat /proc/keys"), "")
            }
        },
        Check("sysctls of the pod are set") { setup in
            let range = "20000 30000"
            try await setup.withContainer(pod: {
                $0.sysctls = ["kernel.shm_rmid_forced": "1", "net.ipv4.ip_local_port_range": range]
            }) { container in
                try expect("shm_rmid_forced", try await container.sh("cat /proc/sys/kernel/shm_rmid_forced"), "1")
                let ports = try await container.sh("cat /proc/sys/net/ipv4/ip_local_port_range")
                try expect("ports", ports.split(whereSeparator: \.isWhitespace).joined(separator: " "), range)
            }
        },
        Check("a device is given, with its permissions") { setup in
            try await setup.withContainer(adjust: {
                // Not one that every container may use anyway.
                $0.devices = [.init(hostPath: "/dev/loop-control", containerPath: "/dev/mine", permissions: "r")]
            }) { container in
                _ = try await container.sh("test -c /dev/mine && : < /dev/mine")
                try expect("writing it", try await container.exec("sh", "-c", ": > /dev/mine").exitCode != 0)
            }
        },
    ]
}

extension Container {
    /// A line of the status of a process in the container.
    fileprivate func line(_ key: String) async throws -> String {
        try await sh("awk '$1 == \"\(key):\" { print $2 }' /proc/self/status")
    }
}
