extension String {
    /// The standard library's `contains` for texts is in a module of regular expressions, a megabyte of the shim's file;
    /// this is enough here.
    package func containsText(_ text: String) -> Bool {
        let (bytes, wanted) = (Array(utf8), Array(text.utf8))
        guard bytes.count >= wanted.count else { return false }
        return (0...bytes.count - wanted.count).contains { bytes[$0...].starts(with: wanted) }
    }
}
