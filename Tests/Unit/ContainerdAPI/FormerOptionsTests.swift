import ContainerdAPI
import Protobuf
import Testing

/// Bytes as containerd 1.7's client encodes its runctypes.
@Suite struct FormerOptionsTests {
    @Test func optionsOfACreationAreTakenOver() throws {
        var bytes: [UInt8] = [1 << 3, 1, 8 << 3, 1, 9 << 3 | 2, 2] + Array("/c".utf8)
        bytes += [10 << 3, 7, 11 << 3, 8, 12 << 3 | 2, 2] + Array("/w".utf8)
        // open_tcp, which is of no use here.
        bytes += [2 << 3, 1]
        let options = try FormerCreateOptions(decoding: bytes).today
        #expect(options.noPivotRoot)
        #expect(options.noNewKeyring)
        #expect(options.shimCgroup == "/c")
        #expect(options.ioUid == 7)
        #expect(options.ioGid == 8)
        #expect(options.criuWorkPath == "/w")
    }

    /// The numbers of the two paths are the other way round today.
    @Test func optionsOfACheckpointAreTakenOver() throws {
        var bytes: [UInt8] = [1 << 3, 1, 8 << 3 | 2, 2]
        bytes += "/w".utf8
        bytes += [9 << 3 | 2, 2] as [UInt8]
        bytes += "/i".utf8
        let options = try FormerCheckpointOptions(decoding: bytes).today
        #expect(options.exit)
        #expect(options.workPath == "/w")
        #expect(options.imagePath == "/i")
    }
}
