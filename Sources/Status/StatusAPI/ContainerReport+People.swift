extension ContainerReport {
    /// `namespace/pod/container`, or the id where Kubernetes did not make it.
    package var title: String { podName.isEmpty ? id : "\(podNamespace)/\(podName)/\(containerName)" }

    /// A pod's sandbox has the pod's names and none of its own.
    package var isSandbox: Bool { !podName.isEmpty && containerName.isEmpty }
}

extension ContainerReport {
    /// How often it has slept, in whatever way.
    package var sleeps: UInt64 { (checkpoints?.count ?? 0) + freezes }

    /// How often it has woken, from whatever sleep.
    package var wakings: UInt64 { (restores?.count ?? 0) + thaws }
}

extension ContainerState {
    package var word: String {
        switch self {
        case .starting: "starting"
        case .running: "running"
        case .checkpointing: "checkpointing"
        case .asleep: "asleep"
        case .restoring: "restoring"
        case .exited: "exited"
        case .frozen: "frozen"
        default: "unknown"
        }
    }
}

/// Numbers for people.
package enum InWords {
    package static func age(_ seconds: Int64) -> String {
        switch max(0, seconds) {
        case let age where age < 120: "\(age)s"
        case let age where age < 7200: "\(age / 60)m"
        case let age where age < 172_800: "\(age / 3600)h"
        case let age: "\(age / 86_400)d"
        }
    }

    package static func milliseconds(_ nanoseconds: UInt64) -> String {
        nanoseconds < 10_000_000
            ? "\(nanoseconds / 1_000_000).\(nanoseconds / 100_000 % 10)ms" : "\(nanoseconds / 1_000_000)ms"
    }

    package static func size(_ bytes: UInt64) -> String {
        switch bytes {
        case 0..<1024: "\(bytes)B"
        case 0..<(1 << 20): "\(bytes >> 10)K"
        case 0..<(10 << 30): "\(bytes >> 20)M"
        default: "\(bytes >> 30)G"
        }
    }
}
