import Foundation

/// A Chromium of this machine.
package struct Browser: Sendable {
    /// Its program, if there is one.
    package static let program = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Where pictures are kept, for people to look at.
    private static let pictures = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../../../build/screenshots").standardized

    private let network: String

    /// - Parameter network: the file of the network namespace that it is in.
    package init(network: String = "/proc/self/ns/net") { self.network = network }

    /// What the page has become when it was rendered.
    package func document(of url: String, width: Int = 1200) async throws -> String {
        try await open(url, "--window-size=\(width),700", "--dump-dom").text
    }

    /// A picture of the page, in `build/screenshots`.
    /// - Parameter width: of the window.
    package func picture(of url: String, as name: String, width: Int) async throws -> Data {
        try FileManager.default.createDirectory(at: Self.pictures, withIntermediateDirectories: true)
        let file = Self.pictures.appending(path: "\(name).png")
        try? FileManager.default.removeItem(at: file)
        try await open(url, "--hide-scrollbars", "--window-size=\(width),700", "--screenshot=\(file.path())")
        print("\(url) as Chromium shows it: build/screenshots/\(name).png")
        return try Data(contentsOf: file)
    }

    @discardableResult
    private func open(_ url: String, _ arguments: String...) async throws -> Output {
        let profile = FileManager.default.temporaryDirectory.appending(path: "browser-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: profile) }
        return try await Command.run(
            [
                "nsenter", "--net=\(network)", Self.program ?? "chromium", "--no-sandbox", "--disable-gpu",
                "--disable-background-networking", "--user-data-dir=\(profile.path())",
            ] + arguments + [url], deadline: .seconds(120))
    }
}
