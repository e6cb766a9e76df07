/// What a deletion waits for. A restore uses the cgroups still. A preparation of the pod's network makes what its end takes
/// away: the shim may end with this container. An init can have ended before the `runc kill` that ended it: containerd closes
/// the connection after the last deletion, and whoever asked for the kill would get no answer.
final class WorkUnderWay {
    private var count = 0
    private var whenDone: (() -> Void)?

    func begin() { count += 1 }

    func end() {
        count -= 1
        if count == 0 { whenDone.take()?() }
    }

    /// Calls back when nothing is under way. For one at a time.
    func whenDone(_ body: @escaping () -> Void) {
        if count == 0 { body() } else { whenDone = body }
    }
}
