import JSON
import Linux

/// Lists the containers of the whole cluster when somebody asks, and keeps the list for a few seconds.
final class ClusterSurvey {
    struct Findings {
        var containers: [ClusterContainer] = []
        /// Why they are not as they are now; empty if they are.
        var trouble = ""
    }

    private static let validity = Instant.Span.seconds(10)
    /// Pods in a piece of the list: each may have a quarter of a megabyte of annotations.
    private static let piece = 100
    /// Without what pods are to run, which is most of them.
    private static let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

    private let api: APIServer
    private var findings = Findings()
    private var listing: [ClusterContainer] = []
    private var listed: Instant?
    private var waiting: [(Findings) -> Void] = []

    init(_ api: APIServer) { self.api = api }

    /// - Parameter then: called once, perhaps at once.
    func ask(_ then: @escaping (Findings) -> Void) {
        if let listed, Instant.now.since(listed) < Self.validity { return then(findings) }
        waiting.append(then)
        if waiting.count == 1 { list(from: "") }
    }

    private func list(from mark: String) {
        if mark.isEmpty { listing = [] }
        let rest = mark.isEmpty ? "" : "&continue=\(mark)"
        let path = "/api/v1/pods?fieldSelector=status.phase%3DRunning&limit=\(Self.piece)\(rest)"
        api.ask("GET", path, accepting: Self.metadata) { [weak self] result in
            switch result {
            case .success(let document): self?.add(document)
            // What was found before is better than nothing, and is asked for again the next time, once for all who wait.
            case .failure(let failure):
                self?.findings.trouble = "The pods of the cluster cannot be listed: \(failure)"
                self?.tell()
            }
        }
    }

    private func add(_ document: JSON) {
        for pod in document["items"]?.array ?? [] { listing += ClusterContainer.all(in: pod) }
        if let mark = document["metadata"]?["continue"]?.string, !mark.isEmpty { return list(from: mark) }
        findings = Findings(containers: listing)
        (listing, listed) = ([], .now)
        tell()
    }

    private func tell() {
        let all = waiting
        waiting = []
        for then in all { then(findings) }
    }
}
