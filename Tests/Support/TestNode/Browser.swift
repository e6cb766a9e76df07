import Commands
import Foundation

/// A Chromium of this machine, in a node's network.
package struct Browser: Sendable {
    /// Its program, if there is one.
    package static let program = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Where pictures are kept, for people to look at.
    private static let pictures = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../../../build/screenshots").standardized

    private let node: TestNode

    package init(on node: TestNode) { self.node = node }

    /// What the page has become when it was rendered.
    package func document(of url: String) async throws -> String {
        try await open(url, "--dump-dom").text
    }

    /// A picture of the page, in `build/screenshots`.
    /// - Parameter width: of the window.
    package func picture(of url: String, as name: String, width: Int) async throws -> Data {
        try FileManager.default.createDirectory(at: Self.pictures, withIntermediateDirectories: true)
        let file = Self.pictures.appending(path: "\(name).png")
        try? FileManager.default.removeItem(at: file)
        try await open(url, "--hide-scrollbars", "--window-size=\(width),700", "--screenshot=\(file.path())")
        return try Data(contentsOf: file)
    }

    @discardableResult
    private func open(_ url: String, _ arguments: String...) async throws -> Output {
        let profile = FileManager.default.temporaryDirectory.appending(path: "browser-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: profile) }
        let pid = node.root.split(separator: "/").dropFirst().first.map(String.init) ?? "self"
        return try await Command.run(
            [
                "nsenter", "--net=/proc/\(pid)/ns/net", Self.program ?? "chromium", "--no-sandbox", "--disable-gpu",
                "--disable-background-networking", "--user-data-dir=\(profile.path())",
            ] + arguments + [url], deadline: .seconds(120))
    }
}
