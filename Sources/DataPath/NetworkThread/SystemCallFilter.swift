import CSeccomp
import Glibc
import Linux

/// A list of the system calls that a thread may still make (seccomp(2), through libseccomp). All others fail with EPERM:
/// to end the thread would leave the connections in its care hanging, to end the process the container without a shim.
/// Calls of another architecture (int 0x80) end the thread.
struct SystemCallFilter: ~Copyable {
    /// An argument of a call, of which only the bits of `mask` matter, and what it must be.
    struct Condition {
        let argument: UInt32
        let mask: UInt32
        let value: UInt32

        /// For descriptors and other numbers of 32 bits: the upper half of the register is undefined.
        static func argument(_ index: UInt32, is value: Int32) -> Condition {
            Condition(argument: index, mask: .max, value: UInt32(bitPattern: value))
        }

        static func argument(_ index: UInt32, has bits: Int32) -> Condition {
            Condition(argument: index, mask: UInt32(bitPattern: bits), value: UInt32(bitPattern: bits))
        }

        static func argument(_ index: UInt32, lacks bits: Int32) -> Condition {
            Condition(argument: index, mask: UInt32(bitPattern: bits), value: 0)
        }

        fileprivate var comparison: scmp_arg_cmp {
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: UInt64(mask), datum_b: UInt64(value))
        }
    }

    private let context: scmp_filter_ctx

    init() throws(SystemError) {
        guard let context = seccomp_init(zp_seccomp_fail_with(UInt16(EPERM))) else {
            throw SystemError("seccomp_init", code: ENOMEM)
        }
        self.context = context
    }

    deinit {
        seccomp_release(context)
    }

    /// - Parameters:
    ///   - call: Its number.
    ///   - conditions: All must hold. A call may be allowed several times.
    func allow(_ call: Int32, _ conditions: Condition...) throws(SystemError) {
        let comparisons = conditions.map(\.comparison)
        let code = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, call, UInt32(comparisons.count), comparisons)
        if code != 0 { throw SystemError("seccomp_rule_add", "call \(call)", code: -code) }
    }

    /// From now on the calling thread can do nothing else. There is no way back.
    func load() throws(SystemError) {
        let code = seccomp_load(context)
        if code != 0 { throw SystemError("seccomp_load", code: -code) }
    }
}
