/// What all programs of one build are.
package enum Version {
    package static let text = "0.1.0"
}
