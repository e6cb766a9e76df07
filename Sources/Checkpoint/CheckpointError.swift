import Glibc
import Linux

/// Why a checkpoint or a restore did not happen.
package enum CheckpointError: Error, Sendable, CustomStringConvertible {
    /// CRIU refused or failed; `log` holds the last lines of its log.
    case criu(verb: String, code: Int32, log: String)
    /// A step of ours around CRIU failed.
    case system(SystemError)
    /// A restore came to nothing before CRIU was asked for it: the images are as they were, and another attempt may
    /// succeed.
    case notBegun(SystemError)
    /// The disk is full, or would be: sizes in bytes. `kept` is not to be filled.
    case noRoom(directory: String, needed: UInt64, free: UInt64, kept: UInt64)
    /// The images are larger than the node's operator allows, in bytes. Others of the same owner have `used`.
    case overLimit(owner: String, needed: UInt64, used: UInt64, limit: UInt64)
    /// They are not to be written in the clear, and their file system cannot encrypt them.
    case notEncrypted(SystemError)
    /// An image file is not what CRIU 4 writes.
    case badImage(path: String)
    /// CRIU was killed in the middle. Of a restore nothing is left, the images are as they were, and another attempt may
    /// succeed.
    case interrupted(verb: String)
    /// The processes have something that would not come back as it was. They run on unharmed.
    case lossy(reason: String)
    /// A restore failed when the processes had their descriptors back, and may have run.
    case tooLate(String)
    /// The caller gave the checkpoint up, because traffic arrived in the middle. The container runs on unharmed.
    case givenUp
    /// There is no criu, or one that cannot serve this kernel.
    case unusable(reason: String)
    /// libcriu would not take an option.
    case refusedOption(String)

    /// CRIU, or a check of the shim, will not checkpoint these processes as they are, or not here. It is asked again
    /// after `Policy.retryAfterRefusal`.
    package var isRefusal: Bool {
        switch self {
        case .criu, .lossy, .notEncrypted: true
        default: false
        }
    }

    /// How many attempts a restore that failed so gets in all. Images and what was kept are as they were; most of what can be in
    /// the way (no memory, no descriptor, a criu that somebody has killed) passes.
    package var attempts: Int {
        switch self {
        case .notBegun, .interrupted, .system, .noRoom: 10
        // It may be for want of something, which CRIU's answer does not tell; or for ever.
        case .criu: 4
        case .badImage, .overLimit, .notEncrypted, .tooLate, .lossy, .givenUp, .unusable, .refusedOption: 1
        }
    }

    package var description: String {
        switch self {
        case .criu(let verb, let code, let log):
            "criu \(verb) failed: \(CRIULog.cause(in: log) ?? "\(SystemError("criu", verb, code: abs(code)))")"
                + (log.isEmpty ? "" : "; its log ends:\n\(log)")
        case .system(let error), .notBegun(let error): error.description
        case .noRoom(let directory, let needed, let free, let kept):
            "\(SystemError("write images", directory, code: ENOSPC)): about \(needed >> 20) MB are needed, and "
                + "\(free >> 20) MB are free" + (kept > 0 ? ", of which \(kept >> 20) MB are kept for others" : "")
        case .overLimit(let owner, let needed, let used, let limit):
            "images of about \(needed >> 20) MB are too large for \(owner), which may have \(limit >> 20) MB"
                + (used > 0 ? ", of which \(used >> 20) MB are taken" : "")
        case .notEncrypted(let error):
            "images are to be encrypted (encrypt-images = on), and cannot be: \(error); \(DirectoryKey.remedy)"
        case .badImage(let path): "\(path) is not an image this version understands"
        case .interrupted(let verb): "criu was killed in the middle of a \(verb)"
        case .tooLate(let reason): "it failed when the processes may have run already: \(reason)"
        case .givenUp: "given up because of traffic"
        case .unusable(let reason), .lossy(let reason): reason
        case .refusedOption(let option): "libcriu refuses: \(option)"
        }
    }
}
