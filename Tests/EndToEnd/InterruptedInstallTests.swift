import Commands
import Foundation
import TestNode
import Testing

extension AlteredNodes {
    /// `zeropod install` and `uninstall`, killed before each single step that they take, and run again.
    @Suite struct InterruptedInstallTests {
        @Test(arguments: ["install", "uninstall"]) func mayBeKilledAnywhere(_ verb: String) async throws {
            let site = Site(node: try await node(.current))
            try await site.prepare()
            let before = try await site.state()
            try await site.run("install")
            let installed = try await site.state()
            #expect(installed.text != before.text)
            let (start, end) = verb == "install" ? (before, installed) : (installed, before)

            var step = 1
            while true {
                try await site.bring(to: start.text == before.text ? nil : "install")
                let wasKilled = try await site.kill(verb, atStep: step)
                let between = try await site.configuration()
                #expect([before.configuration, installed.configuration].contains(between), "at step \(step)")
                if wasKilled { try await site.run(verb) }
                let state = try await site.state()
                #expect(state.text == end.text, "killed at step \(step)")
                // What containerd read at its last start is what is there.
                #expect(try await site.read() == end.configuration, "killed at step \(step)")
                if !wasKilled { break }
                step += 1
            }
            #expect(step > 15, "there was little to interrupt")
            try await site.clean()
        }
    }
}

/// A configuration and a prefix that only this is tried on.
private struct Site {
    private static let directory = "/tmp/interrupted"
    private static let file = "\(directory)/etc/config.toml"
    private static let prefix = "/opt/interrupted"

    let node: TestNode

    struct State {
        let configuration: String
        /// Every file, with what is in it.
        let text: String
    }

    /// Puts down the program that kills, something small to install, and what stands for a restart of containerd: it takes
    /// down what containerd would have read.
    func prepare() async throws {
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Node/kill-at.c").path()
        try await node.shell(
            "rm -rf \(Self.directory) && mkdir -p \(Self.directory)/from/{bin,lib} \(Self.directory)/etc")
        try await Command.run(
            ["cc", "-static", "-O2", "-Wall", "-Werror", "-o", "\(node.root)\(Self.directory)/kill-at", source])
        try await node.shell(
            """
            cd \(Self.directory)
            echo shim >from/bin/containerd-shim-zeropod-v2
            echo library >from/lib/library.so
            printf '#!/bin/sh\\ncp \(Self.file) \(Self.directory)/read\\n' >restart
            chmod +x restart
            printf '# ours\\nversion = 3\\n' >before
            """)
        try await bring(to: nil)
    }

    /// Anew: as before the first installation, or with one.
    func bring(to verb: String?) async throws {
        try await node.shell(
            """
            rm -rf \(Self.prefix) \(Self.directory)/etc && mkdir \(Self.directory)/etc
            cp \(Self.directory)/before \(Self.file) && cp \(Self.file) \(Self.directory)/read
            """)
        if let verb { try await run(verb) }
    }

    private func command(_ verb: String) -> String {
        "/opt/zeropod/bin/zeropod \(verb) --prefix \(Self.prefix) --from \(Self.directory)/from"
            + " --containerd-config \(Self.file) --restart-with \(Self.directory)/restart"
    }

    func run(_ verb: String) async throws { try await node.shell(command(verb)) }

    /// - Returns: false if it had ended before that step.
    func kill(_ verb: String, atStep step: Int) async throws -> Bool {
        let output = try await node.shell("\(Self.directory)/kill-at \(step) \(command(verb))", expecting: nil)
        #expect([0, 137].contains(output.status), "\(output.errorText)")
        return output.status == 137
    }

    func configuration() async throws -> String { try await node.run("cat", Self.file).text }

    func read() async throws -> String { try await node.run("cat", "\(Self.directory)/read").text }

    func state() async throws -> State {
        let list = "find \(Self.prefix) \(Self.directory)/etc -printf '%p %m\\n' -type f -exec cat {} +"
        let text = try await node.shell("\(list) 2>/dev/null | sort").text
        return State(configuration: try await configuration(), text: text)
    }

    func clean() async throws { try await node.shell("rm -rf \(Self.directory) \(Self.prefix)") }
}
