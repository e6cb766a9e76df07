import ContainerdAPI
import Protobuf
import Testing

@Suite struct StartInputTests {
    static let options = AnyMessage(packing: RuncOptions { $0.binaryName = "crun" })

    func input(_ bytes: [UInt8]) throws -> StartInput {
        try StartInput(decoding: bytes, id: "c", namespace: "k8s.io")
    }

    @Test func nothing() throws {
        #expect(try input([]) == .nothing)
        #expect(try input([]).runtimeOptions == nil)
    }

    @Test func optionsAlone() throws {
        #expect(try input(Self.options.encoded()) == .options(Self.options))
        #expect(try input(Self.options.encoded()).runtimeOptions == Self.options)
    }

    @Test func parametersWithOptionsAmongTheExtensions() throws {
        let params = BootstrapParams {
            $0.instanceID = "c"
            $0.namespace = "k8s.io"
            $0.logLevel = -4
            $0.extensions = [AnyMessage(typeURL: "other", value: []), Self.options].map { value in
                BootstrapExtension { $0.value = value }
            }
        }
        #expect(try input(params.encoded()) == .bootstrap(params))
        #expect(try input(params.encoded()).runtimeOptions == Self.options)
    }

    /// The bytes of an Any with text in it are also good parameters, for another container.
    @Test func optionsThatCouldBeParametersAreOptions() throws {
        let any = AnyMessage(typeURL: "runtimeoptions.v1.Options", value: Array("k8s.io".utf8))
        #expect(try BootstrapParams(decoding: any.encoded()).namespace == "k8s.io")
        #expect(try input(any.encoded()) == .options(any))
    }

    @Test func garbageIsAnError() {
        #expect(throws: ProtobufError.self) { try input([0xff]) }
    }
}
