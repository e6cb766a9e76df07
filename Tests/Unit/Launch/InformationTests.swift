import ContainerdAPI
import Glibc
import Linux
import Protobuf
import Testing

/// `-info` and `-v` of the real program, with a stand-in for runc: its features are only passed on.
@Suite struct InformationTests {
    static let features = #"{"ociVersionMin":"1.0.0","mountOptions":["rro"],"annotations":{"n":"1e400"}}"#

    private func runtime(_ name: String, says text: String, in program: ShimProgram) throws -> String {
        let path = "\(program.bundle)/\(name)"
        try Files.write("#!/bin/sh\n[ \"$1\" = features ] && echo '\(text)'\n", to: path, mode: 0o755)
        return path
    }

    private func info(_ program: ShimProgram, _ input: ShimProgram.Input = .bytes([])) throws -> RuntimeInfo {
        let outcome = try program.run(["-info"], input: input, environment: ["PATH": "\(program.bundle):/usr/bin:/bin"])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        return try RuntimeInfo(decoding: outcome.output)
    }

    @Test(arguments: [ShimProgram.Input.bytes([]), .closed, .terminal])
    func withoutOptionsItTellsOfRunc(_ input: ShimProgram.Input) throws {
        let program = try ShimProgram()
        _ = try runtime("runc", says: Self.features, in: program)
        let info = try info(program, input)
        #expect(info.name == "io.containerd.zeropod.v2")
        #expect(info.version?.version == "0.1.0")
        #expect(info.options == nil)
        #expect(info.features?.typeURL == "types.containerd.io/opencontainers/runtime-spec/1/features/Features")
        #expect(info.features.map { String(decoding: $0.value, as: UTF8.self) } == Self.features)
    }

    @Test func theOptionsNameTheRuntimeAndComeBack() throws {
        let program = try ShimProgram()
        _ = try runtime("runc", says: "{}", in: program)
        let other = try runtime("other", says: Self.features, in: program)
        let toml = Array("BinaryName = \"\(other)\"\n".utf8)
        for options in [
            AnyMessage(packing: RuncOptions { $0.binaryName = other }),
            AnyMessage(packing: RuntimeOptions { $0.configBody = toml }),
        ] {
            let info = try info(program, .bytes(options.encoded()))
            #expect(info.options == options)
            #expect(info.features.map { String(decoding: $0.value, as: UTF8.self) } == Self.features)
        }
    }

    @Test func aRuntimeWithoutTheVerbHasNoFeatures() throws {
        let program = try ShimProgram()
        _ = try runtime("runc", says: "unknown command features", in: program)
        #expect(try info(program).features == nil)
    }

    @Test func aRuntimeThatIsNotThereIsNamed() throws {
        let program = try ShimProgram()
        let options = AnyMessage(packing: RuncOptions { $0.binaryName = "/no/such/runc" })
        let outcome = try program.run(["-info"], input: .bytes(options.encoded()))
        #expect(outcome.status == 1)
        #expect(outcome.output == [])
        #expect(outcome.errors.contains("/no/such/runc"))
    }

    @Test(arguments: ["-v", "-version"]) func theVersionIsLaidOutLikeTheStockShims(_ flag: String) throws {
        let outcome = try ShimProgram().run([flag])
        #expect(outcome.text == "containerd-shim-zeropod-v2:\n  Version:  0.1.0\n  Revision: \n\n")
    }
}
