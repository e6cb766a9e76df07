import JSON
import Linux

/// How the API server wants requests of a running pod changed: by its subresource `resize` (Kubernetes 1.33 and later),
/// or in the pod itself (1.27 to 1.32, behind the gate InPlacePodVerticalScaling). Older ones do not do it.
final class Resizing {
    /// After this a server that did not know how is asked once more: clusters are upgraded.
    private static let hour = Instant.Span.seconds(3600)

    private enum Way {
        case unknown
        case subresource
        case pod
        case none
    }

    private let api: APIServer
    private let loop: EventLoop
    private let log: Log
    private let found: () -> Void
    private var way = Way.unknown
    private var failures = 0
    /// Why requests cannot be changed here; empty if they can.
    private(set) var trouble = ""

    init(_ api: APIServer, loop: EventLoop, log: Log, found: @escaping () -> Void) {
        (self.api, self.loop, self.log, self.found) = (api, loop, log, found)
    }

    func find() {
        api.ask("GET", "/api/v1") { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let document):
                let names = document["resources"]?.array?.compactMap { $0["name"]?.string } ?? []
                way = names.contains("pods/resize") ? .subresource : .pod
                (failures, trouble) = (0, "")
                found()
            case .failure:
                failures += 1
                loop.after(Backoff.delay(afterFailures: failures)) { [weak self] in self?.find() }
            }
        }
    }

    /// Nil while it is not known, or if there is no way.
    func path(of pod: Pod) -> String? {
        switch way {
        case .subresource: "\(pod.path)/resize"
        case .pod: pod.path
        case .none, .unknown: nil
        }
    }

    /// A server without the feature says that a pod's resources may not change.
    func refused(_ failure: APIFailure) {
        if way == .subresource && failure.status == 404 { return find() }
        guard way == .pod, failure.status == 422 else { return }
        way = .none
        trouble =
            "in-place scaling: this API server does not change the requests of a running pod (Kubernetes 1.33, or the"
            + " feature gate InPlacePodVerticalScaling)"
        log.warning(trouble, ["error": "\(failure)"])
        loop.after(Self.hour) { [weak self] in self?.find() }
    }
}
