import CCRIU
import Glibc
import Linux

/// The options of one libcriu call. The only file that knows libcriu's functions, with `CRIUService`.
struct CRIUOptions: ~Copyable {
    let pointer: OpaquePointer

    /// - Parameters:
    ///   - images: directory of the image files, open.
    ///   - work: directory for the log, open.
    init(images: borrowing Descriptor, work: borrowing Descriptor, log: String) throws(CheckpointError) {
        var created: OpaquePointer?
        guard criu_local_init_opts(&created) == 0, let created else { throw .refusedOption("initialise") }
        pointer = created
        criu_local_set_images_dir_fd(pointer, images.rawValue)
        criu_local_set_work_dir_fd(pointer, work.rawValue)
        criu_local_set_log_file(pointer, log)
        // Warnings and errors. Each further level costs a millisecond (1–1.5 ms at 4).
        criu_local_set_log_level(pointer, CRIU_LOG_WARN)
    }

    deinit {
        criu_local_free_opts(pointer)
    }

    /// What a dump and its restore must agree on.
    func setCommon() {
        // The cgroups are kept and CRIU is started inside them; even CG_NONE makes it parse all of them.
        criu_local_set_manage_cgroups_mode(pointer, CRIU_CG_MODE_IGNORE)
        criu_local_set_file_locks(pointer, true)
        criu_local_set_orphan_pts_master(pointer, true)
    }

    func setPID(_ pid: pid_t) { criu_local_set_pid(pointer, pid) }

    func setRoot(_ path: String) throws(CheckpointError) {
        guard criu_local_set_root(pointer, path) == 0 else { throw .refusedOption("root \(path)") }
    }

    func setEvasiveDevices() { criu_local_set_evasive_devices(pointer, true) }

    func addExternal(_ key: String) throws(CheckpointError) {
        guard criu_local_add_external(pointer, key) == 0 else { throw .refusedOption("external \(key)") }
    }

    /// - Parameter number: the descriptor's number in the criu process.
    func addInherited(_ number: Int32, key: String) throws(CheckpointError) {
        // libcriu allows this only for a criu that it starts itself, which it is set to until `useService`.
        guard criu_local_add_inherit_fd(pointer, number, key) == 0 else { throw .refusedOption("inherit \(key)") }
    }

    func join(_ kind: Namespace.Kind, path: String) throws(CheckpointError) {
        guard criu_local_join_ns_add(pointer, kind.rawValue, path, nil) == 0 else {
            throw .refusedOption("join \(kind.rawValue) namespace \(path)")
        }
    }

    /// Lets a running `criu swrk` serve the one call that follows. Comes last: a call must follow, which closes
    /// libcriu's copy of the socket.
    func useService(_ service: CRIUService) throws(CheckpointError) {
        do throws(SystemError) {
            criu_local_set_service_fd(pointer, try service.socket.duplicate().release())
        } catch {
            throw .system(error)
        }
    }
}

extension CheckpointError {
    /// A failed call. libcriu gives ECOMM when criu is gone and has not answered.
    static func failed(_ verb: String, _ code: Int32, log: @autoclosure () -> String) -> CheckpointError {
        code == -ECOMM ? .interrupted(verb: verb) : .criu(verb: verb, code: code, log: log())
    }
}

/// What is done at CRIU's steps. Runs on the thread of the call; a false answer makes CRIU give up.
typealias StepHandler = (_ step: String, _ pid: pid_t) -> Bool

extension CRIUOptions {
    /// criu_local_dump: zero, or a negative errno.
    borrowing func dump(by service: CRIUService, _ handler: @escaping StepHandler) -> Int32 {
        withNotify(service, handler) { notify, context in zp_criu_dump(pointer, notify, context) }
    }

    /// criu_local_restore: the pid of the restored init, or a negative errno.
    borrowing func restore(by service: CRIUService, _ handler: @escaping StepHandler) -> Int32 {
        withNotify(service, handler) { notify, context in zp_criu_restore(pointer, notify, context) }
    }

    private final class Box {
        let handler: StepHandler
        init(_ handler: @escaping StepHandler) { self.handler = handler }
    }

    private borrowing func withNotify(
        _ service: CRIUService, _ handler: @escaping StepHandler,
        _ call: (zp_criu_notify, UnsafeMutableRawPointer) -> Int32
    ) -> Int32 {
        let underWay = service.user.withLock { $0 }
        let box = Box { step, pid in underWay?.whileCRIUWaits { handler(step, pid) } ?? handler(step, pid) }
        return withExtendedLifetime(box) {
            call(
                { context, step, pid in
                    guard let context, let step else { return -EINVAL }
                    let handler = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().handler
                    return handler(String(cString: step), pid) ? 0 : -ECANCELED
                }, Unmanaged.passUnretained(box).toOpaque())
        }
    }
}
