import CCURL
import Glibc

/// One HTTP request and its answer.
final class Transfer {
    struct Request {
        var method = "GET"
        var url = ""
        var headers: [String] = []
        var body: [UInt8]?
        /// Who signs the server's certificate; empty: whom the machine trusts.
        var authority = ""
        var clientCertificate = ""
        var clientKey = ""
        /// For all of it.
        var seconds = 0
    }

    enum Outcome {
        /// The server's status: the body has been received, of whatever kind it is.
        case answered(Int)
        /// Why there is no whole answer.
        case failed(String)
    }

    let handle: UnsafeMutableRawPointer
    private let received: ([UInt8], _ status: Int) -> Void
    private let ended: (Outcome) -> Void
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let body: [UInt8]?
    private let problem = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// - Parameter received: a piece of the body; an empty one when the head has come.
    init?(
        _ request: Request, received: @escaping ([UInt8], _ status: Int) -> Void, ended: @escaping (Outcome) -> Void
    ) {
        guard let handle = curl_easy_init() else { return nil }
        (self.handle, self.received, self.ended, body) = (handle, received, ended, request.body)
        problem[0] = 0
        setUp(request)
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        problem.deallocate()
    }

    func end(_ code: CURLcode) {
        if code == CURLE_OK { return ended(.answered(zp_curl_status(handle))) }
        let text = String(cString: problem)
        ended(.failed(text.isEmpty ? String(cString: curl_easy_strerror(code)) : text))
    }

    private func setUp(_ request: Request) {
        zp_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, problem)
        zp_curl_set_text(handle, CURLOPT_URL, request.url)
        zp_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
        zp_curl_set_text(handle, CURLOPT_USERAGENT, "zeropod-node")
        // The kind of TLS that an API server may have at least; no proxy of the environment stands before it.
        zp_curl_set_text(handle, CURLOPT_PROXY, "")
        zp_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        setIdentity(request)
        setTimes(request)
        for header in request.headers { headers = curl_slist_append(headers, header) }
        if let body {
            zp_curl_set_long(handle, CURLOPT_POSTFIELDSIZE, body.count)
            body.withUnsafeBytes { bytes in
                // Copied.
                _ = zp_curl_set_text(
                    handle, CURLOPT_COPYPOSTFIELDS, bytes.bindMemory(to: CChar.self).baseAddress)
            }
        }
        zp_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headers)
        receive()
    }

    private func receive() {
        for option in [CURLOPT_WRITEDATA, CURLOPT_HEADERDATA] {
            zp_curl_set_pointer(handle, option, Unmanaged.passUnretained(self).toOpaque())
        }
        zp_curl_set_data(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
            transfer.received(Array(piece), zp_curl_status(transfer.handle))
            return size * count
        }
        // A line at a time; the last has only its end.
        zp_curl_set_data(handle, CURLOPT_HEADERFUNCTION) { _, size, count, context in
            guard let context, size * count <= 2 else { return size * count }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            transfer.received([], zp_curl_status(transfer.handle))
            return size * count
        }
    }

    private func setIdentity(_ request: Request) {
        func set(_ option: CURLoption, _ text: String) {
            if !text.isEmpty { zp_curl_set_text(handle, option, text) }
        }
        set(CURLOPT_CAINFO, request.authority)
        set(CURLOPT_SSLCERT, request.clientCertificate)
        set(CURLOPT_SSLKEY, request.clientKey)
    }

    private func setTimes(_ request: Request) {
        zp_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT, 10)
        zp_curl_set_long(handle, CURLOPT_TIMEOUT, request.seconds)
        // A server that has gone without a word ends a watch within a minute. What is sent meanwhile keeps the kernel from
        // probing: without a limit for that, further requests go to the dead connection for a quarter of an hour.
        zp_curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        zp_curl_set_long(handle, CURLOPT_TCP_KEEPIDLE, 30)
        zp_curl_set_long(handle, CURLOPT_TCP_KEEPINTVL, 10)
        zp_curl_limit_silence(handle)
        // Certificates of authorities are replaced too; libcurl would keep what it has read for a day.
        zp_curl_set_long(handle, CURLOPT_CA_CACHE_TIMEOUT, 0)
    }
}
