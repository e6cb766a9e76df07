import Checkpoint

/// How a container wakes: the annotation `wake`, words separated by commas. The last one of a kind holds.
package struct WakeOptions: Equatable, Sendable {
    /// When a container's memory comes back.
    package enum Pages: Equatable, Sendable {
        /// Lazily if it is large.
        case bySize
        /// As it is used, and all the rest at once after the wake.
        case lazy
        /// Before the container runs.
        case eager
    }

    /// What is kept ready while the container sleeps; nil means nothing.
    package var prestart: CRIUService.Prestart? = .place
    package var pages = Pages.bySize

    init(_ reader: AnnotationReader) throws(AnnotationError) {
        let words: KeyValuePairs<String, (inout WakeOptions) -> Void> = [
            "on-demand": { $0.prestart = nil }, "standby": { $0.prestart = .place },
            "prestarted": { $0.prestart = .program }, "lazy": { $0.pages = .lazy }, "eager": { $0.pages = .eager },
        ]
        for choose in try reader.choices("wake", of: words) { choose(&self) }
    }
}
