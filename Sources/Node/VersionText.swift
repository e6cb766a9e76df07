import StatusAPI

/// `zeropod version`.
package enum VersionText {
    package static let text = "zeropod \(Version.text)"
}
