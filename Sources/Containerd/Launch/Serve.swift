import ContainerdAPI
import Events
import Glibc
import Linux
import Shim
import StatusService
import TTRPC
import TaskService

/// The serving process: one event loop, until containerd shuts it down.
package final class Serve {
    private let loop: EventLoop
    private let log: Log
    private let server: Server
    private let publisher: EventPublisher
    private let socketPath: String
    private var signals: Signals?
    private var isShuttingDown = false
    private var service: TaskService?
    private let statusSocket: StatusSocket
    private let statusServer: Server
    private let status: StatusServer

    package init(_ invocation: Invocation) throws(SystemError) {
        Memory.keepSmall()
        Signals.ignoreBrokenPipes()
        // Before there are other threads, which share it then.
        SessionKeyring.prepare()
        // What sleeping containers had open is held here.
        DescriptorLimit.raise()
        let log = Log(to: try Self.openLog(), debugging: invocation.debug)
        self.log = log
        loop = try EventLoop()
        let children = try Children(loop: loop)
        let listener = Descriptor(owning: StartCommand.listenerDescriptor)
        socketPath = try UnixSocket.localPath(of: listener)
        let publisher = EventPublisher(
            loop: loop, address: Environment["TTRPC_ADDRESS"] ?? "", namespace: invocation.namespace,
            log: { log.warning("events: \($0)") })
        self.publisher = publisher
        server = Server(loop: loop, log: { log.warning("ttrpc: \($0)") })

        let context = ShimContext(
            loop: loop, children: children, log: log, namespace: invocation.namespace, policy: Self.policy(log),
            publish: { publisher.publish($0.message) })
        Self.forgetFormerBoot(context)
        context.removeAgedFailures()
        let shim = Shim(context: context)
        statusSocket = StatusSocket(ofShimAt: socketPath)
        statusServer = Server(loop: loop, mostConnections: Self.mostWatchers, log: { log.warning("status: \($0)") })
        status = StatusServer(shim: shim)
        let service = TaskService(
            shim: shim, onConnect: { publisher.retryNow() },
            onShutdown: { [unowned self] in shutDown() })
        self.service = service
        service.register(with: server)
        try server.listen(on: listener)
        serveStatus()
        signals = try Signals([SIGTERM, SIGINT], loop: loop) { [unowned self] _ in shutDown() }
    }

    /// `start` has read the same a moment ago, and would not have started a shim with what cannot be understood.
    private static func policy(_ log: Log) -> NodePolicy {
        do {
            return try NodePolicy.read()
        } catch {
            log.error("the defaults hold: \(error)")
            return NodePolicy()
        }
    }

    /// The first shim after a reboot removes what the former boot has left.
    private static func forgetFormerBoot(_ context: ShimContext) {
        do throws(SystemError) {
            for container in try FormerBoot(snapshots: context.paths.snapshots).clean() {
                context.log.info(
                    "removed images that are of no use since the node went down", ["of": container])
            }
        } catch {
            context.log.warning("images of a former boot may be left", ["error": "\(error)"])
        }
    }

    /// Programs of the node that look on at the same time: its daemon, and people.
    private static let mostWatchers = 16

    /// Containers are served without it too.
    private func serveStatus() {
        status.register(with: statusServer)
        do throws(SystemError) {
            try statusServer.listen(on: try statusSocket.listen())
        } catch {
            log.warning("'zeropod status' will not see this shim: \(error)")
        }
    }

    package func run() throws(SystemError) {
        try loop.run()
    }

    /// containerd reads the fifo `log` of the bundle. Open for both ways it survives a restart of containerd.
    private static func openLog() throws(SystemError) -> Descriptor {
        let log = try Descriptor.open(Files.exists("log") ? "log" : "/dev/null", O_RDWR | O_NONBLOCK)
        // What libraries and a crash of this process write goes there too.
        try retrying("dup2") { dup2(log.rawValue, STDERR_FILENO) }
        return log
    }

    private static let patience = Instant.Span.seconds(3)

    /// Ends when containerd has its answer and its events, or has waited long enough.
    private func shutDown() {
        if isShuttingDown { return }
        isShuttingDown = true
        // The name first: a start that finds nobody listening would take it over, and lose it here.
        try? Files.remove(socketPath)
        server.stopListening()
        statusSocket.remove()
        statusServer.stopListening()
        loop.after(Self.patience) { [loop] in loop.stop() }
        server.whenUnused = { [loop, publisher] in publisher.whenDrained { loop.stop() } }
        if server.connectionCount == 0 { server.whenUnused() }
    }
}
