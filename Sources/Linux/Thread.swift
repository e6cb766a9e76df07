import Glibc

/// Plain threads, which end when their work does: a shim at rest has one thread.
package enum Thread {
    /// Enough for libcriu and libbpf, little enough to be forgotten.
    package static let stackSize = 512 << 10

    private final class Body {
        let name: String
        let run: () -> Void
        init(name: String, run: @escaping () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a detached thread.
    /// - Parameter name: at most 15 bytes, seen in `/proc/PID/task/TID/comm`.
    package static func start(
        _ name: String, stack stackSize: Int = stackSize, _ run: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackSize)
        _ = try create(name, attributes, run)
    }

    static func create(
        _ name: String, _ attributes: pthread_attr_t, _ run: @escaping @Sendable () -> Void
    ) throws(SystemError) -> pthread_t {
        var (attributes, thread) = (attributes, pthread_t())
        let argument = Unmanaged.passRetained(Body(name: name, run: run))
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                pthread_setname_np(pthread_self(), String(body.name.prefix(15)))
                body.run()
                return nil
            }, argument.toOpaque())
        if code != 0 {
            argument.release()
            throw SystemError("pthread_create", name, code: code)
        }
        return thread
    }
}
