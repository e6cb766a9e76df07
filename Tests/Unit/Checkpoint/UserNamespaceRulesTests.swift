import Testing

@testable import Checkpoint

/// In which user namespaces processes can be made again.
struct UserNamespaceRulesTests {
    private let mapped = "         0     200000      65536\n"

    @Test func thoseThatMapRootAndLetGroupsBeSet() {
        #expect(UserNamespaceRules.loss(users: mapped, groups: mapped, setgroups: "allow\n") == nil)
        let inParts = "      1000       1000          1\n" + mapped
        #expect(UserNamespaceRules.loss(users: inParts, groups: mapped, setgroups: "allow\n") == nil)
    }

    @Test func noOthers() {
        let unmapped = "      1000     200000      65536\n"
        #expect(UserNamespaceRules.loss(users: unmapped, groups: mapped, setgroups: "allow\n") != nil)
        #expect(UserNamespaceRules.loss(users: mapped, groups: unmapped, setgroups: "allow\n") != nil)
        #expect(UserNamespaceRules.loss(users: mapped, groups: "", setgroups: "allow\n") != nil)
        #expect(
            UserNamespaceRules.loss(users: mapped, groups: mapped, setgroups: "deny\n")?.contains("setgroups") == true)
    }
}
