import CLinux
import Foundation
import Glibc
import Testing

@testable import Linux

/// The session keyring of a container that has a user namespace of its own: only who is in that finds it by its name.
struct SessionKeyringTests {
    private func users() throws -> SharedDescriptor {
        var options = ["uidmap=0:0:1000", "gidmap=0:0:1000"]
        return SharedDescriptor(try #require(IDMapping(takenFrom: &options)).namespace())
    }

    @Test func whereThereIsNoneNoneIsFound() throws {
        #expect(try SessionKeyring.find(["zeropod-none"], in: users()) == nil)
    }

    @Test func itIsFoundByWhoeverMaySearchIt() throws {
        let (users, name) = (try users(), "zeropod-test-\(getpid())")
        var command = Command("/bin/sleep", ["1000"])
        command.namespaces = [users.descriptor.rawValue]
        command.sessionKeyring = name
        let pid = try command.spawn()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        // Its owner is root here, which sees and links it; runc lets others search it.
        let made = try #require(try SessionKeyring.find([name]))
        #expect(try SessionKeyring.find([name], in: users) == nil)
        let (setPermissions, withSearchByOthers): (Int32, Int) = (5, 0x3f0b_0008)
        #expect(zp_keyctl(setPermissions, made.number, withSearchByOthers) == 0)
        let found = try #require(try SessionKeyring.find(["zeropod-none", name], in: users))
        #expect(found.number == made.number && found.name == name)
        // Nobody else may write the keyring by which it is held, or it could be taken from this process.
        let own = String(format: "%08x", zp_keyctl(0, -2, 0))
        let line = try Files.readText("/proc/keys").split(separator: "\n").first { $0.hasPrefix(own) }
        #expect(line?.split(separator: " ")[4] == "3f010000", "\(line ?? "none")")
        // To hold it is to have it when its last process has ended.
        let describe: Int32 = 6
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        #expect(zp_keyctl(describe, found.number, 0) > 0)
    }
}
