import CLinux
import Glibc
import Synchronization

/// Segments of System V shared memory that would end with the last process that has attached them, attached by this one
/// meanwhile. The others stay by themselves, in their IPC namespace.
package final class SharedSegments: Sendable {
    private let addresses: Mutex<[UInt]>

    /// More than any container has; each is a mapping of this process.
    private static let most = 256

    /// - Parameter namespace: that of IPC in which they are.
    package init(in namespace: borrowing Namespace) throws(SystemError) {
        let found = try namespace.inside { () throws(SystemError) -> [UInt] in
            // With it the kernel ends all that nobody has attached (proc(5)).
            let isForced = (try? Files.readText("/proc/sys/kernel/shm_rmid_forced"))?.first == "1"
            var addresses = [UnsafeMutableRawPointer?](repeating: nil, count: Self.most)
            let count = zp_attach_segments(&addresses, Self.most, isForced ? 1 : 0)
            let attached = addresses.compactMap { $0.map { UInt(bitPattern: $0) } }
            if count < 0 {
                for address in attached { Self.detach(address) }
                throw SystemError("shmat", "shared memory", code: -count)
            }
            return attached
        }
        addresses = Mutex(found)
    }

    deinit { letGo() }

    /// The processes have them again. May be called again.
    package func letGo() {
        for address in addresses.withLock({ addresses in
            defer { addresses = [] }
            return addresses
        }) {
            Self.detach(address)
        }
    }

    private static func detach(_ address: UInt) { _ = zp_detach_segment(UnsafeMutableRawPointer(bitPattern: address)) }
}
