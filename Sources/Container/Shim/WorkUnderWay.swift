/// Counts what a deletion has to wait for:
///
/// - a restore, which uses the cgroups;
/// - a preparation of the pod's network: what it makes has to be taken away again, and the shim may end with this
///   container;
/// - a `runc kill`, which may end later than the init that it kills. Its caller is still owed an answer, and containerd
///   closes the connection after the last deletion.
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
