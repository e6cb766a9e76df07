extension ProcessIO {
    /// Leaves its ends of the pipes to the process alone, which runc has started (or could not).
    package func release() {
        held = [:]
        // runc has sent the terminal before it ended, or never will.
        if let console {
            console.collect()
            self.console = nil
            outputEnded()
        }
    }
}
