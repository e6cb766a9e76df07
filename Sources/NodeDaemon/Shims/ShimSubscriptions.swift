import Glibc
import Linux
import StatusAPI

/// The shims of this node, found by their sockets: those that were there before the daemon, and those that come.
final class ShimSubscriptions {
    private let directory: String
    private let loop: EventLoop
    private let log: Log
    private var subscriptions: [String: ShimSubscription] = [:]
    private var watch: DirectoryWatch?
    /// Called after every change of what a container is said to do.
    var changed: () -> Void = {}

    /// The directory is made if no shim has run yet.
    init(_ directory: String, loop: EventLoop, log: Log) throws(SystemError) {
        self.directory = directory
        self.loop = loop
        self.log = log
        do throws(SystemError) {
            try Files.makeDirectories(directory, mode: 0o700)
        } catch {
            // In a pod the host's directory may be there to read only. Then the first shim makes what is in it.
            guard error.code == EROFS || error.code == EACCES else { throw error }
            let parent = directory.split(separator: "/").dropLast().map { "/\($0)" }.joined()
            watch = try DirectoryWatch(parent, loop: loop) { [unowned self] in
                guard Files.exists(self.directory) else { return }
                loop.soon { [weak self] in try? self?.begin() }
            }
            if !Files.exists(directory) { return }
        }
        try begin()
    }

    private func begin() throws(SystemError) {
        // Watched first, read then: what comes in between is seen twice rather than not at all.
        watch = try DirectoryWatch(directory, loop: loop) { [unowned self] in look() }
        look()
    }

    private func look() {
        let found: [String]
        do throws(SystemError) {
            found = try Files.names(in: directory).filter { $0.hasSuffix(".sock") }.map { "\(directory)/\($0)" }
        } catch {
            return log.error("shims cannot be found", ["error": "\(error)"])
        }
        for path in Set(subscriptions.keys).subtracting(found) {
            subscriptions.removeValue(forKey: path)?.end()
            log.debug("shim has gone", ["socket": path])
        }
        for path in found where subscriptions[path] == nil {
            log.debug("shim found", ["socket": path])
            subscriptions[path] = ShimSubscription(path, loop: loop) { [unowned self] _ in changed() }
        }
        changed()
    }

    /// Whether every shim that was found has been heard, or is known to be away.
    var areKnown: Bool { subscriptions.values.allSatisfy(\.isKnown) }

    var count: Int { subscriptions.count }

    var silent: Int { subscriptions.values.count { !$0.isConnected } }

    /// Containers without sandboxes, which never sleep, in the order of their titles.
    var containers: [ContainerReport] {
        subscriptions.values.flatMap(\.containers).filter { !$0.isSandbox }.sorted { $0.title < $1.title }
    }

    /// Asks all shims for their numbers, and goes on when each has answered or had its time.
    func refresh(_ then: @escaping () -> Void) {
        var waiting = subscriptions.count
        if waiting == 0 { return then() }
        for subscription in subscriptions.values {
            subscription.refresh {
                waiting -= 1
                if waiting == 0 { then() }
            }
        }
    }
}
