// swift-tools-version: 6.2
import PackageDescription

// The rooms are explained in docs/design.md, and stand in this file in the order of who may know whom: each knows only
// what is above it.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    // setns, accept4, ucred and others are declared for _GNU_SOURCE only.
    .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
    // Nothing is used of what joins Testing with Foundation, and Debian's swiftlang 6.2.3 has its module without its library.
    .unsafeFlags(["-Xfrontend", "-disable-cross-import-overlays"]),
]
// SwiftPM's own part of the tests asks for it all the same: an empty one is in this folder.
let emptyLibraries: [LinkerSetting] = [
    .unsafeFlags(["-L", "\(Context.packageDirectory)/Tests/Support/EmptyLibraries"])
]

// What becomes part of the shim. Algorithms that search texts for texts come with the compiler's module of regular
// expressions, which would be an eighth of the shim's file, so it is not imported and a use of them does not build.
let small = strict + [.unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"])]

func room(
    _ name: String, in folder: String? = nil, _ dependencies: [Target.Dependency] = [],
    settings: [SwiftSetting] = small
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/" + (folder.map { "\($0)/" } ?? "") + name,
        swiftSettings: settings)
}

func tests(of name: String, _ more: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + more, path: "Tests/Unit/\(name)",
        swiftSettings: strict, linkerSettings: emptyLibraries)
}

func library(_ name: String) -> Target { .systemLibrary(name: name, path: "Sources/C/\(name)") }

func program(_ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = strict) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/Programs/\(name)", swiftSettings: settings)
}

func support(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Tests/Support/\(name)", swiftSettings: strict)
}

let package = Package(
    name: "zeropod",
    products: [],
    targets: [
        // C libraries.
        .target(name: "CLinux", path: "Sources/C/CLinux", cSettings: [.define("_GNU_SOURCE")]),
        library("CBPF"),
        library("CMD"),
        library("CSeccomp"),
        library("CCURL"),
        library("CMicroHTTPD"),
        // zlib before libelf: from elfutils 0.193 on that has a crc32 of its own in its static library. Modules cannot
        // say so, since the compiler names zlib last.
        .target(
            name: "CDataPath", path: "Sources/C/CDataPath",
            linkerSettings: [.linkedLibrary("bpf"), .linkedLibrary("z"), .linkedLibrary("elf")]),
        .target(
            name: "CCRIU", path: "Sources/C/CCRIU",
            linkerSettings: [.linkedLibrary("criu"), .linkedLibrary("protobuf-c")]),

        room("Linux", ["CLinux"]),
        room("JSON"),

        // The way of a connection, and what a sleep keeps.
        room("DataPath", ["CBPF", "CDataPath", "CSeccomp", "Linux"]),
        room("Checkpoint", ["Linux", "CLinux", "CCRIU"]),

        // A container: what decides, what drives runc and the streams, and the object that joins them.
        room("Lifecycle", in: "Container"),
        room("Runc", in: "Container", ["Linux", "JSON"]),
        room("StdIO", in: "Container", ["Linux"]),
        room("Shim", in: "Container", ["Linux", "JSON", "Lifecycle", "Checkpoint", "Runc", "StdIO", "DataPath"]),

        // The way of a call.
        room("Protobuf", in: "Containerd"),
        room("TTRPC", in: "Containerd", ["Linux", "Protobuf"]),
        room("ContainerdAPI", in: "Containerd", ["Protobuf"]),
        room("Events", in: "Containerd", ["Linux", "Protobuf", "TTRPC", "ContainerdAPI"]),
        room(
            "TaskService", in: "Containerd", ["Shim", "TTRPC", "ContainerdAPI", "Protobuf", "Runc", "StdIO", "Linux"]),
        room("StatusAPI", in: "Status", ["Protobuf"]),
        room("StatusService", in: "Status", ["Lifecycle", "Linux", "Protobuf", "Shim", "StatusAPI", "TTRPC"]),
        room(
            "Launch", in: "Containerd",
            [
                "CMD", "Linux", "JSON", "Runc", "Checkpoint", "DataPath", "Protobuf", "TTRPC", "ContainerdAPI",
                "Events", "Shim", "StatusAPI", "StatusService", "TaskService",
            ]),
        program("containerd-shim-zeropod-v2", ["Launch", "Linux", "DataPath"], settings: small),

        // What people and the node use.
        room("Node", ["Lifecycle", "Linux", "DataPath", "Protobuf", "StatusAPI", "TTRPC", "JSON"], settings: strict),
        program("zeropod", ["Node"]),
        room(
            "NodeDaemon", ["CCURL", "CMicroHTTPD", "Linux", "Protobuf", "StatusAPI", "TTRPC", "JSON"], settings: strict),
        program("zeropod-node", ["NodeDaemon", "Linux"]),

        support("Commands"),
        tests(of: "Linux"),
        tests(of: "DataPath", ["Linux", "CBPF", "CDataPath", "CSeccomp", "Checkpoint", "Shim"]),
        .target(name: "SplitMix", path: "Tests/Support/SplitMix", swiftSettings: strict),
        tests(of: "Lifecycle", ["SplitMix"]),
        .target(name: "Hex", path: "Tests/Support/Hex", swiftSettings: strict),
        tests(of: "Protobuf", ["Hex"]),
        tests(of: "TTRPC", ["Hex", "Linux", "Protobuf"]),
        support("MessageTypes", ["ContainerdAPI", "Protobuf", "TTRPC"]),
        tests(of: "ContainerdAPI", ["Linux", "MessageTypes", "Protobuf", "TTRPC"]),
        tests(of: "Events", ["ContainerdAPI", "Linux", "Protobuf", "TTRPC"]),
        tests(of: "JSON"),
        // Trials of what starts children, in a process of their own; RuncTests runs them.
        .executableTarget(
            name: "process-trials", dependencies: ["Linux", "JSON", "Runc", "StdIO"], path: "Tests/Unit/ProcessTrials",
            swiftSettings: strict),
        tests(of: "Runc", ["Linux", "JSON", "StdIO", "process-trials"]),
        tests(of: "StdIO", ["Linux"]),
        tests(of: "Checkpoint", ["Linux"]),
        tests(of: "Shim", ["DataPath", "Linux"]),
        // A container's whole life in this process, called as containerd calls it.
        .testTarget(
            name: "ContainerTests",
            dependencies: [
                "Checkpoint", "ContainerdAPI", "Lifecycle", "Linux", "Protobuf", "Runc", "Shim", "SplitMix",
                "TaskService",
            ], path: "Tests/Unit/Container", swiftSettings: strict),
        tests(of: "StatusService", ["Linux", "Protobuf", "Shim", "StatusAPI", "TTRPC"]),
        tests(
            of: "Launch",
            [
                "CLinux", "Linux", "JSON", "ContainerdAPI", "Protobuf", "Shim", "StatusAPI", "TTRPC",
                "containerd-shim-zeropod-v2",
            ]),
        tests(of: "NodeDaemon", ["Commands", "JSON", "Linux", "StatusAPI", "Protobuf"]),
        .testTarget(
            name: "NodeTests", dependencies: ["Node", "StatusAPI"], path: "Tests/Unit/Node", swiftSettings: strict),

        .target(
            name: "FuzzTargets",
            dependencies: [
                "ContainerdAPI", "DataPath", "JSON", "Linux", "MessageTypes", "NodeDaemon", "Protobuf", "Runc", "Shim",
                "StatusAPI", "StdIO", "TTRPC",
            ], path: "Tests/Fuzz/Targets", swiftSettings: strict),
        .testTarget(
            name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay", swiftSettings: strict),

        // What Tests/VirtualMachine/run.sh runs under Debian's own kernel.
        .executableTarget(
            name: "virtual-machine-checks", dependencies: ["Linux", "DataPath"], path: "Tests/VirtualMachine/Program",
            swiftSettings: strict),

        // And what Tests/VirtualMachine/node.sh runs in a machine that is a node.
        .executableTarget(
            name: "virtual-machine-node-checks", dependencies: ["Commands", "CRI", "TestNode"],
            path: "Tests/VirtualMachine/Node", swiftSettings: strict),

        // Runs all of them for .ci/test.
        .executableTarget(name: "zeropod-tests", dependencies: ["Commands"], path: "Tests/Run", swiftSettings: strict),

        // Pods in a test node, with a real containerd, runc and criu: see Tests/Node.
        support("CRI", ["Commands"]),
        support("TestNode", ["Commands", "CRI"]),
        support("Measure", ["Commands", "TestNode"]),
        support("TestCluster", ["Commands", "CRI", "TestNode"]),
        .executableTarget(
            name: "zeropod-demo", dependencies: ["Commands", "CRI", "Measure", "TestNode"], path: "Tests/Demo",
            exclude: ["build"],
            swiftSettings: strict),
        .executableTarget(
            name: "zeropod-bench", dependencies: ["Commands", "CRI", "Measure", "TestNode"], path: "Tests/Bench",
            swiftSettings: strict),
        .executableTarget(
            name: "zeropod-soak", dependencies: ["Commands", "CRI", "TestNode"], path: "Tests/Soak",
            swiftSettings: strict),
        .executableTarget(
            name: "zeropod-load", dependencies: ["Commands", "CRI", "Measure", "TestNode"], path: "Tests/Load",
            swiftSettings: strict),
        .executableTarget(
            name: "zeropod-conformance", dependencies: ["Commands", "CRI", "TestNode"], path: "Tests/Conformance",
            exclude: ["stock"],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Commands", "CRI", "Linux", "Measure", "TestNode"],
            path: "Tests/EndToEnd",
            swiftSettings: strict),
        // What processes hold, before and after a sleep: see docs/compatibility.md.
        .testTarget(
            name: "FidelityTests", dependencies: ["Commands", "CRI", "TestNode"], path: "Tests/Fidelity",
            exclude: ["Programs"], swiftSettings: strict),
        // The same with a Kubernetes around it: see Tests/Kubernetes.
        .testTarget(
            name: "KubernetesTests", dependencies: ["Commands", "TestCluster", "TestNode"],
            path: "Tests/Kubernetes/Tests", swiftSettings: strict),
    ],
    cLanguageStandard: .gnu17
)

// For another processor, under emulation, only what is tried there: see `make test-units`.
if Context.environment["ZEROPOD_UNITS"] != nil {
    let rooms = ["Tests/Unit/", "Tests/Fuzz/", "Tests/Support/"]
    package.targets.removeAll { target in
        guard let path = target.path, path.hasPrefix("Tests/") else { return false }
        return !rooms.contains { path.hasPrefix($0) }
    }
}

// libFuzzer brings the program's `main` along, and is only there when Tests/Fuzz/run builds.
if Context.environment["ZEROPOD_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "zeropod-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Program",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
