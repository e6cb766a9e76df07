import Glibc
import Linux
import Protobuf
import StatusAPI
import TTRPC

/// One call at a time to one shim's status socket, waited for.
package final class ShimConnection {
    /// A shim answers from memory; one that takes longer is stuck, and the others must not wait for it.
    private static let patience = Instant.Span.seconds(5)

    package let path: String
    private let loop: EventLoop
    private let client: Client

    package init(_ path: String) throws(SystemError) {
        self.path = path
        loop = try EventLoop()
        client = try Client(loop: loop, address: path)
    }

    package func list() throws(ShimFailure) -> StatusList {
        try call("List", Empty(), limit: Self.patience)
    }

    /// - Parameter verb: `Sleep` or `Wake`. A checkpoint or a restore takes as long as it takes.
    package func ask(_ verb: String, _ container: String) throws(ShimFailure) {
        let _: Empty = try call(verb, ContainerRequest { $0.id = container }, limit: nil)
    }

    private func call<Request: Message, Response: Message>(
        _ method: String, _ request: Request, limit: Instant.Span?
    ) throws(ShimFailure) -> Response {
        var answer: Result<Response, Status>?
        client.call(StatusService.name, method, request, timeout: limit) { answer = $0 }
        do throws(SystemError) {
            try loop.run { answer != nil }
        } catch {
            throw ShimFailure(description: "\(path): \(error)")
        }
        switch answer {
        case .success(let response): return response
        case .failure(let status): throw ShimFailure(description: status.message)
        case nil: throw ShimFailure(description: "\(path): no answer")
        }
    }
}

package struct ShimFailure: Error, CustomStringConvertible {
    package let description: String
}
