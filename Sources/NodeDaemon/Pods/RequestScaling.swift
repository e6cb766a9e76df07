import StatusAPI

/// What a pod requests while its containers sleep, so that the scheduler may give the rest to others.
///
/// A change takes two writes: the original is kept on the node before the request is lowered, and forgotten after the
/// request is back. Whenever the daemon looks, it does the next of these steps: so it may die between any two.
struct RequestScaling {
    /// What is requested asleep: `cpu` and `memory`. Empty: nothing is lowered any more, and what was is put back.
    let asleep: [String: String]

    struct Step: Equatable {
        /// To be kept first.
        var originals: OriginalRequests
        /// Container → resource → quantity. Written when that is done.
        var requests: [String: [String: String]] = [:]
    }

    /// What has been seen of `container/resource` since it fell asleep.
    enum Seen {
        case lowered
        /// Somebody else has set the request meanwhile: that stays until the container wakes.
        case chosen
    }

    /// Why nothing of this pod is lowered; nil if something may be.
    static func obstacle(_ pod: Pod) -> String? {
        if pod.isStatic { return "it is a static pod, whose requests the API server does not change" }
        if pod.qualityOfService == "Guaranteed" {
            return "its quality of service is Guaranteed, and would change with its requests"
        }
        return pod.hasOwnResources ? "it has resources of the pod as a whole" : nil
    }

    /// The next step for a pod; nothing to do if it is as it should be.
    ///
    /// - Parameter originals: What is kept of it.
    func step(
        for pod: Pod, _ containers: [ContainerReport], _ originals: OriginalRequests, _ seen: inout [String: Seen]
    ) -> Step {
        var step = Step(originals: originals)
        if Self.obstacle(pod) != nil { return step }
        for resource in OriginalRequests.resources {
            for report in containers {
                guard let container = pod.containers.first(where: { $0.name == report.containerName }) else { continue }
                let view = View(
                    container: container, resource: resource, entry: step.originals[resource, container.name])
                let isAsleep = report.state == .asleep && !asleep.isEmpty && !pod.keepsRequests
                let next = next(view, report.state, isAsleep: isAsleep, &seen["\(container.name)/\(resource)"])
                step.originals[resource, container.name] = next.entry
                if let request = next.request { step.requests[container.name, default: [:]][resource] = request }
            }
        }
        return step
    }

    // MARK: One resource of one container

    private struct View {
        let container: Pod.Container
        let resource: String
        let entry: OriginalRequests.Entry?

        var current: String? { container.requests[resource] }
        var now: Quantity? { current.flatMap(Quantity.init) }
    }

    private struct Next {
        var entry: OriginalRequests.Entry?
        var request: String?
    }

    private func next(_ view: View, _ state: ContainerState, isAsleep: Bool, _ seen: inout Seen?) -> Next {
        if isAsleep { return whenAsleep(view, &seen) }
        switch state {
        // Frozen, it still needs its memory.
        case .asleep, .frozen, .running:
            seen = nil
            return whenAwake(view)
        default: return Next(entry: view.entry)
        }
    }

    private func whenAsleep(_ view: View, _ seen: inout Seen?) -> Next {
        guard let entry = view.entry else {
            // Without a request there is nothing to lower, and one would change the quality of service. It is never
            // raised, which could be above a limit.
            guard seen != .chosen, let current = view.current, let now = view.now, let target = asleep[view.resource],
                let lower = Quantity(target), lower < now, !view.container.restartedBy.contains(view.resource)
            else { return Next() }
            return Next(entry: .init(original: current, asleep: target))
        }
        if view.now == Quantity(entry.asleep) {
            seen = .lowered
            return Next(entry: entry)
        }
        if seen != .lowered && view.now == Quantity(entry.original) { return Next(entry: entry, request: entry.asleep) }
        // Somebody has set another while it slept, or the same again. That is theirs now, asleep and awake.
        seen = .chosen
        return Next()
    }

    private func whenAwake(_ view: View) -> Next {
        // Anything else than what it was lowered to is somebody's choice, or the original itself.
        guard let entry = view.entry, view.now == Quantity(entry.asleep), let original = Quantity(entry.original),
            view.now != original
        else { return Next() }
        // The limit may have been lowered while it slept.
        if let limit = view.container.limits[view.resource], let most = Quantity(limit), most < original {
            return Next(entry: entry, request: most == view.now ? nil : limit)
        }
        return Next(entry: entry, request: entry.original)
    }
}
