extension Runc {
    /// `runc kill`.
    /// - Parameter all: every process of the container; from runc 1.2 on it does that by itself where init's end would
    ///   not end them (a shared pid namespace), and only takes the word.
    package func kill(_ signal: Int32, all: Bool = false, _ then: @escaping Completion<Void>) {
        call("kill", (all ? ["--all"] : []) + [container, "\(signal)"]) { then($0.map { _ in }) }
    }

    /// `runc delete`: the state directory and the cgroups, once init has ended. With `force`, init is killed first, and
    /// a container that runc does not know is no error.
    package func delete(force: Bool = false, _ then: @escaping Completion<Void>) {
        call("delete", (force ? ["--force"] : []) + [container]) { then($0.map { _ in }) }
    }
}
