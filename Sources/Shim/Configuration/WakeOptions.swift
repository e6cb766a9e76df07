import Checkpoint

/// How a container wakes: the annotation `wake`, words in any order.
package struct WakeOptions: Equatable, Sendable {
    /// What is kept ready while the container sleeps; nil means nothing.
    package var prestart: CRIUService.Prestart? = .place

    private static let prestarts: KeyValuePairs<String, CRIUService.Prestart?> = [
        "on-demand": nil, "standby": .place, "prestarted": .program,
    ]

    package init() {}

    init(_ reader: AnnotationReader) throws(AnnotationError) {
        if let choice = try reader.choice("wake", of: Self.prestarts) { prestart = choice }
    }
}
