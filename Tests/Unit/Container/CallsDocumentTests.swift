import Linux
import Testing

/// docs/calls.md says for each cell which test tries it.
@Suite struct CallsDocumentTests {
    private static let root = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()

    @Test func theTestsThatItNamesAreThere() throws {
        let document = try Files.readText("\(Self.root)/docs/calls.md")
        let sources = try sources(below: "\(Self.root)/Tests")
        let tests = try #require(document.firstRange(of: "## Tests"))
        var count = 0
        for name in document[tests.upperBound...].split(separator: "`").enumerated().filter({ $0.offset % 2 == 1 }).map(
            \.element)
        {
            let parts = name.split(separator: ".")
            guard let suite = parts.first, suite.hasSuffix("Tests") else { continue }
            count += 1
            let isThere = sources.contains { text in
                text.contains("struct \(suite)") && (parts.count < 2 || text.contains("func \(parts[1])("))
            }
            #expect(isThere, "\(name) is no test")
        }
        #expect(count > 20)
    }

    private func sources(below directory: String) throws -> [String] {
        try Files.names(in: directory).flatMap { name -> [String] in
            let path = "\(directory)/\(name)"
            if name.hasSuffix(".swift") { return [try Files.readText(path)] }
            return (try? sources(below: path)) ?? []
        }
    }
}
