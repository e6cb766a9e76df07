import Foundation
import FuzzTargets
import Testing

/// The seeds, and what was once found, through their targets: without libFuzzer, in every test run.
@Suite struct ReplayTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Corpus")

    @Test(arguments: FuzzTarget.all) func inputsOfTheCorpusDoNoHarm(_ target: FuzzTarget) throws {
        let folder = Self.corpus.appending(path: target.name).standardized
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty, "no seeds in \(folder.path())")
        for file in files { target.run(Array(try Data(contentsOf: file))) }
    }

    @Test func everyFolderOfTheCorpusHasATarget() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.standardized.path())
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }
}
