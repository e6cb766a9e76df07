import CLinux
import Glibc

/// Signals as events of a loop. Begin before other threads are started: they inherit what is blocked.
package final class Signals {
    private let loop: EventLoop
    private let descriptor: Descriptor

    package init(
        _ numbers: [Int32], loop: EventLoop, _ handler: @escaping (Int32) -> Void
    ) throws(SystemError) {
        self.loop = loop
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in numbers { sigaddset(&mask, number) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        descriptor = Descriptor(
            owning: try retrying("signalfd") { signalfd(-1, &mask, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
        let number = descriptor.rawValue
        try loop.watch(descriptor, .readable) { _ in
            var information = signalfd_siginfo()
            while Glibc.read(number, &information, MemoryLayout<signalfd_siginfo>.size) > 0 {
                handler(Int32(information.ssi_signo))
            }
        }
    }

    deinit {
        loop.unwatch(descriptor.rawValue)
    }

    /// Writing to a pipe or socket without a reader gives EPIPE from now on, instead of ending the process.
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}
