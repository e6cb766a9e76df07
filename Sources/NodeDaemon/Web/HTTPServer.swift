import CMicroHTTPD
import Linux

/// Serves people and Prometheus over HTTP, on the loop's thread: libmicrohttpd without threads of its own.
final class HTTPServer {
    typealias Handler = (Request, @escaping (Answer) -> Void) -> Void

    struct Request {
        var path: String
        /// What stands behind the path, of `parameters`.
        var query: [String: String] = [:]
        /// As the header fields say; nil without them.
        var host: String?
        var authorization: String?
    }

    /// Names in a query that mean something.
    private static let parameters = ["text", "state"]
    /// More would be an attack, or a mistake in somebody's configuration.
    private static let connections: UInt32 = 64
    /// Seconds that a silent connection is kept.
    private static let patience: UInt32 = 30

    struct Answer {
        var status: UInt32 = 200
        var type = "text/plain; charset=utf-8"
        var body: String
        /// Of the head, beside the type's.
        var field: (name: String, value: String)?
    }

    private let loop: EventLoop
    private let handler: Handler
    private var daemon: OpaquePointer?
    private var descriptor: Int32 = -1
    private var timer: Timer?
    /// Connections whose requests have no answer yet.
    private var suspended: Set<OpaquePointer> = []

    init(_ listener: consuming Descriptor, loop: EventLoop, _ handler: @escaping Handler) throws(SystemError) {
        self.loop = loop
        self.handler = handler
        let context = Unmanaged.passUnretained(self).toOpaque()
        daemon = zp_http_start(
            listener.release(), Self.connections, Self.patience,
            { HTTPServer.accessed($0, $1, $2, $3, $6, $7) }, { _, _, exchange, _ in HTTPServer.completed(exchange) },
            context)
        guard let daemon else { throw .last("MHD_start_daemon") }
        descriptor = zp_http_descriptor(daemon)
        try loop.watch(descriptor, .readable) { [unowned self] _ in work() }
    }

    deinit {
        loop.unwatch(descriptor)
        if let timer { loop.cancel(timer) }
        // The library ends the program if it is stopped with connections that nobody has resumed.
        for connection in suspended { MHD_resume_connection(connection) }
        if let daemon { MHD_stop_daemon(daemon) }
    }

    /// Lets the library do what there is to do, and comes back when it wants that.
    private func work() {
        guard let daemon else { return }
        MHD_run(daemon)
        if let timer { loop.cancel(timer) }
        var milliseconds: UInt64 = 0
        timer = nil
        guard MHD_get_timeout(daemon, &milliseconds) == .YES else { return }
        timer = loop.after(.milliseconds(milliseconds)) { [unowned self] in
            timer = nil
            work()
        }
    }

    // MARK: One request

    /// What is known of a request between the library's calls.
    private final class Exchange {
        var isAsked = false
        var isSuspended = false
        var answer: Answer?
    }

    private static func accessed(
        _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ path: UnsafePointer<CChar>?,
        _ method: UnsafePointer<CChar>?, _ uploaded: UnsafeMutablePointer<Int>?,
        _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> MHD_Result {
        guard let context, let connection, let path, let method, let slot else { return .NO }
        guard let pointer = slot.pointee else {
            // Only the head has come.
            slot.pointee = Unmanaged.passRetained(Exchange()).toOpaque()
            return .YES
        }
        // Nobody is asked for a body: it is thrown away.
        if let uploaded, uploaded.pointee > 0 {
            uploaded.pointee = 0
            return .YES
        }
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
        let server = Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
        if let answer = exchange.answer { return send(answer, on: connection) }
        if exchange.isAsked { return .NO }
        exchange.isAsked = true
        let verb = String(cString: method)
        guard verb == "GET" || verb == "HEAD" else {
            return send(Answer(status: 405, body: "\(verb): only GET is understood\n"), on: connection)
        }
        let field = { (name: String) in
            zp_http_field(connection, name).map { String(cString: $0) }
        }
        let request = Request(
            path: String(cString: path), query: query(of: connection), host: field("Host"),
            authorization: field("Authorization"))
        server.handler(request) { [weak server] answer in
            exchange.answer = answer
            guard exchange.isSuspended, let server, server.suspended.remove(connection) != nil else { return }
            MHD_resume_connection(connection)
            // Without threads the library takes note of that only when it runs next.
            server.loop.soon { [weak server] in server?.work() }
        }
        if let answer = exchange.answer { return send(answer, on: connection) }
        exchange.isSuspended = true
        server.suspended.insert(connection)
        MHD_suspend_connection(connection)
        return .YES
    }

    private static func query(of connection: OpaquePointer) -> [String: String] {
        var query: [String: String] = [:]
        for name in parameters { query[name] = zp_http_parameter(connection, name).map { String(cString: $0) } }
        return query
    }

    private static func completed(_ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) {
        guard let pointer = slot?.pointee else { return }
        slot?.pointee = nil
        Unmanaged<Exchange>.fromOpaque(pointer).release()
    }

    private static func send(_ answer: Answer, on connection: OpaquePointer) -> MHD_Result {
        var body = answer.body
        let response = body.withUTF8 { zp_http_response($0.baseAddress, $0.count) }
        guard let response else { return .NO }
        defer { MHD_destroy_response(response) }
        MHD_add_response_header(response, "Content-Type", answer.type)
        MHD_add_response_header(response, "Cache-Control", "no-store")
        if let field = answer.field { MHD_add_response_header(response, field.name, field.value) }
        return MHD_queue_response(connection, answer.status, response)
    }
}
